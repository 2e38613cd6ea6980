// Rename moves a fork of this module to its own import path: go.mod, every
// import, and every mention of the path in comments, documents and scripts.
//
//	go run ./internal/rename [-dir .] NEW/PATH
//
// Run it in a clean checkout, so that the change can be read and undone; it
// prints each file that it changed.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("rename", flag.ContinueOnError)
	dir := flags.String("dir", ".", "the module's folder, where its go.mod lies")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("name one new module path, for example: rename github.com/you/prodai")
	}
	return rename(*dir, flags.Arg(0), out)
}

// modulePath is the syntax of an import path, as far as a slip could be taken
// for one: elements of letters, digits and -._~, parted by single slashes.
var modulePath = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

func rename(dir, to string, out io.Writer) error {
	if !modulePath.MatchString(to) {
		return fmt.Errorf("%q is no module path: want elements of letters, digits and -._~ parted by slashes, like github.com/you/prodai", to)
	}
	from, err := current(dir)
	if err != nil {
		return err
	}
	if from == to {
		return fmt.Errorf("the module's path is %s already", to)
	}
	// The path counts only where it isn't part of a longer word.
	mention := regexp.MustCompile(regexp.QuoteMeta(from) + `([^A-Za-z0-9._~-]|[.,][^A-Za-z0-9]|[.,]?$)`)
	changed := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		done, err := rewrite(path, mention, to)
		if done {
			changed++
			fmt.Fprintln(out, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d files: %s is now %s\n", changed, from, to)
	return nil
}

// current returns the module path that go.mod declares.
func current(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("this is not a module's folder: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "module" {
			return f[1], nil
		}
	}
	return "", errors.New("go.mod declares no module")
}

// rewrite replaces the mentions in one file and reports whether there were
// any. Binary files, those with a NUL byte, are left alone.
func rewrite(path string, mention *regexp.Regexp, to string) (bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if bytes.IndexByte(data, 0) >= 0 || !mention.Match(data) {
		return false, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	data = mention.ReplaceAll(data, []byte(to+"${1}"))
	return true, os.WriteFile(path, data, info.Mode().Perm())
}
