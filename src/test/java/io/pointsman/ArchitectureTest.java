// SPDX-License-Identifier: Apache-2.0
package io.pointsman;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Dependencies point one way; docs/development.md has the picture. */
class ArchitectureTest {
  private static JavaClasses product;

  @BeforeAll
  static void read() {
    product =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.pointsman");
  }

  @Test
  void layersAreOnlyUsedFromAbove() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .withOptionalLayers(true)
        .layer("api")
        .definedBy("io.pointsman.api..")
        .layer("catalogue")
        .definedBy("io.pointsman.catalogue..")
        .layer("kernel")
        .definedBy("io.pointsman.kernel..")
        .layer("dataplane")
        .definedBy("io.pointsman.dataplane..")
        .layer("verify")
        .definedBy("io.pointsman.verify..")
        .layer("agent")
        .definedBy("io.pointsman.agent..")
        .layer("operator")
        .definedBy("io.pointsman.operator..")
        .layer("cli")
        .definedBy("io.pointsman.cli..")
        .whereLayer("cli")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("operator")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("agent")
        .mayOnlyBeAccessedByLayers("cli")
        .whereLayer("verify")
        .mayOnlyBeAccessedByLayers("agent", "operator", "cli")
        .whereLayer("dataplane")
        .mayOnlyBeAccessedByLayers("verify", "agent", "operator", "cli")
        .whereLayer("kernel")
        .mayOnlyBeAccessedByLayers("dataplane", "agent", "cli")
        .whereLayer("catalogue")
        .mayOnlyBeAccessedByLayers("dataplane", "verify", "agent", "operator", "cli")
        .whereLayer("api")
        .mayNotAccessAnyLayer()
        .check(product);
  }

  @Test
  void theKernelKnowsNothingOfKubernetes() {
    noClasses()
        .that()
        .resideInAnyPackage("io.pointsman.kernel..", "io.pointsman.dataplane..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.fabric8..", "io.javaoperatorsdk..", "io.quarkus..")
        .because("the kernel is programmed from the catalogue alone")
        .allowEmptyShould(true)
        .check(product);
  }

  @Test
  void onlyTheCommandsKnowQuarkus() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.pointsman.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.quarkus..", "jakarta.enterprise..", "picocli..")
        .because("operator and agent are plain objects that tests make themselves")
        .check(product);
  }

  @Test
  void testsOnTheSharedApiServerRunOneAtATime() {
    noClasses()
        .that()
        .areNotAnnotatedWith(OnSharedApiServer.class)
        .should()
        .callMethod(ApiServer.class, "shared")
        .because("others run beside them")
        .check(new ClassFileImporter().importPackages("io.pointsman"));
  }
}
