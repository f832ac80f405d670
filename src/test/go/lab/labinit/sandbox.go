// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// missing is the capability that some machines withhold from root. runc refuses a container that
// names a capability outside its own bounding set, and a privileged container names all.
var missing = regexp.MustCompile(`"CAP_SYS_RESOURCE",|,?"CAP_SYS_RESOURCE"`)

// sandbox takes the missing capability out of what runc is about to read, and becomes runc.
func sandbox(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: labinit sandbox BINARY ARGUMENT...")
	}
	for i, arg := range args[:len(args)-1] {
		switch arg {
		case "--bundle", "-b":
			if err := strip(filepath.Join(args[i+1], "config.json")); err != nil {
				return err
			}
		case "--process", "-p":
			if err := strip(args[i+1]); err != nil {
				return err
			}
		}
	}
	return syscall.Exec(args[0], args, os.Environ())
}

func strip(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), "CAP_SYS_RESOURCE") {
		return nil
	}
	return os.WriteFile(path, missing.ReplaceAll(text, nil), 0o600)
}
