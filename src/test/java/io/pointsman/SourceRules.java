// SPDX-License-Identifier: Apache-2.0
package io.pointsman;

import com.sun.source.tree.CaseTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.DefaultCaseLabelTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.SwitchExpressionTree;
import com.sun.source.tree.SwitchTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.Modifier;
import javax.lang.model.type.DeclaredType;
import javax.tools.ToolProvider;

/** Reads sources with the compiler's own parser and names what breaks a rule of the house. */
final class SourceRules extends TreePathScanner<Void, Void> {
  private static final int CLASS_LINES = 300;
  private static final int METHOD_LINES = 40;

  private final DocTrees trees;
  private final CompilationUnitTree unit;
  private final List<Finding> findings = new ArrayList<>();

  private SourceRules(DocTrees trees, CompilationUnitTree unit) {
    this.trees = trees;
    this.unit = unit;
  }

  /** The rules. */
  enum Rule {
    LONG_CLASS,
    LONG_METHOD,
    DEFAULT_OVER_ENUM,
    NO_JAVADOC
  }

  /** A broken rule and where. */
  record Finding(Rule rule, String text) {}

  /** Everything in these files that breaks a rule. */
  static List<Finding> check(List<Path> files) {
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var manager = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
      var options = List.of("-proc:none", "-implicit:none", "-nowarn");
      var task =
          (JavacTask)
              compiler.getTask(
                  null,
                  manager,
                  diagnostic -> {},
                  options,
                  null,
                  manager.getJavaFileObjectsFromPaths(files));
      List<Finding> all = new ArrayList<>();
      var trees = DocTrees.instance(task);
      var units = task.parse();
      task.analyze();
      for (var unit : units) {
        var rules = new SourceRules(trees, unit);
        rules.scan(unit, null);
        all.addAll(rules.findings);
      }
      return all;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public Void visitClass(ClassTree tree, Void unused) {
    boolean topLevel = getCurrentPath().getParentPath().getLeaf() == unit;
    if (topLevel && lines(tree) > CLASS_LINES) {
      add(Rule.LONG_CLASS, tree, lines(tree) + " lines");
    }
    if (isPublic(tree.getModifiers()) && !isDocumented()) {
      add(Rule.NO_JAVADOC, tree, tree.getSimpleName().toString());
    }
    return super.visitClass(tree, unused);
  }

  @Override
  public Void visitMethod(MethodTree tree, Void unused) {
    if (lines(tree) > METHOD_LINES && !isTable(tree)) {
      add(Rule.LONG_METHOD, tree, tree.getName() + " has " + lines(tree) + " lines");
    }
    boolean constructor = tree.getReturnType() == null;
    if (isPublic(tree.getModifiers()) && !constructor && !isOverride(tree) && !isDocumented()) {
      add(Rule.NO_JAVADOC, tree, tree.getName().toString());
    }
    return super.visitMethod(tree, unused);
  }

  @Override
  public Void visitSwitch(SwitchTree tree, Void unused) {
    checkCases(tree, tree.getExpression(), tree.getCases());
    return super.visitSwitch(tree, unused);
  }

  @Override
  public Void visitSwitchExpression(SwitchExpressionTree tree, Void unused) {
    checkCases(tree, tree.getExpression(), tree.getCases());
    return super.visitSwitchExpression(tree, unused);
  }

  private void checkCases(Tree tree, ExpressionTree selector, List<? extends CaseTree> cases) {
    boolean hasDefault =
        cases.stream()
            .flatMap(each -> each.getLabels().stream())
            .anyMatch(DefaultCaseLabelTree.class::isInstance);
    var type = trees.getTypeMirror(new TreePath(getCurrentPath(), selector));
    if (hasDefault
        && type instanceof DeclaredType declared
        && declared.asElement().getKind() == ElementKind.ENUM
        && declared.toString().startsWith("io.pointsman.")) {
      add(Rule.DEFAULT_OVER_ENUM, tree, "default over " + declared);
    }
  }

  /** A method that is one return statement, however long: the rows of a table test. */
  private static boolean isTable(MethodTree tree) {
    return tree.getBody() != null
        && tree.getBody().getStatements().size() == 1
        && tree.getBody().getStatements().getFirst() instanceof ReturnTree;
  }

  private boolean isDocumented() {
    return trees.getDocComment(getCurrentPath()) != null;
  }

  private static boolean isPublic(ModifiersTree modifiers) {
    return modifiers.getFlags().contains(Modifier.PUBLIC);
  }

  private static boolean isOverride(MethodTree tree) {
    return tree.getModifiers().getAnnotations().stream()
        .anyMatch(each -> each.getAnnotationType().toString().equals("Override"));
  }

  private long lines(Tree tree) {
    return line(trees.getSourcePositions().getEndPosition(unit, tree))
        - line(trees.getSourcePositions().getStartPosition(unit, tree))
        + 1;
  }

  private long line(long position) {
    return unit.getLineMap().getLineNumber(position);
  }

  private void add(Rule rule, Tree tree, String what) {
    long line = line(trees.getSourcePositions().getStartPosition(unit, tree));
    findings.add(new Finding(rule, unit.getSourceFile().getName() + ":" + line + " " + what));
  }
}
