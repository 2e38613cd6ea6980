// Lab07-supply writes ordinary and harmful model files into a folder, and checks what a
// system is made of: it scans the files, pins a model, compares names, and writes an AI
// bill of materials.
//
//	go run ./examples/lab07-supply
//	go run ./examples/lab07-supply -scan FOLDER   # your own models
//	go run ./examples/lab07-supply -bom bom.json  # write the bill
//
// How to read the table: "clean" was read to its end, "unsafe" has a finding, and
// "incomplete" is neither: the scanner could not read it, so its state is unknown. No file is
// loaded or run. See the notes of package supply.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/guard/supply"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab07-supply:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("lab07-supply", flag.ContinueOnError)
	flags.SetOutput(w)
	folder := flags.String("scan", "", "scan this folder, and nothing else")
	bom := flags.String("bom", "", "write the bill of materials to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx := context.Background()
	scanner, err := supply.New(nil)
	if err != nil {
		return err
	}
	if *folder != "" {
		return scanFolder(ctx, w, scanner, *folder)
	}
	dir, err := os.MkdirTemp("", "lab07-supply")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, step := range []func() error{
		func() error { return scanSamples(ctx, w, scanner, dir) },
		func() error { return unpack(ctx, w, dir) },
		func() error { return pin(ctx, w, scanner, dir, *bom) },
		func() error { return names(w) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	_, err = fmt.Fprint(w, next)
	return err
}

const next = `
What to notice: the scanner has no rule for "attack-unknown": it is unsafe because no
list of harmless names has it. A pickle that breaks is unsafe too: Python has run what is
before the break.
What to try: -scan with a folder of your own models; take one byte out of an attack.
What to read: the notes of guard/supply, "What a pickle does".
`

func scanFolder(ctx context.Context, w io.Writer, s *supply.Scanner, folder string) error {
	reports, err := s.ScanFS(ctx, os.DirFS(folder))
	if err != nil {
		return err
	}
	for _, r := range reports {
		if r.Status != supply.StatusSkipped {
			fmt.Fprintf(w, "%-10s  %s  %s\n", r.Status, r.Path, reason(r))
		}
	}
	return nil
}

func reason(r supply.Report) string {
	if len(r.Findings) == 0 {
		return ""
	}
	return strings.TrimSpace(r.Findings[0].Member + " " + r.Findings[0].Reason)
}

func scanSamples(ctx context.Context, w io.Writer, s *supply.Scanner, dir string) error {
	all, err := samples()
	if err != nil {
		return err
	}
	count := map[supply.Status]int{}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "file\twhat it is\tstatus\treason")
	for _, f := range all {
		name := filepath.Join(dir, f.name)
		if err := os.WriteFile(name, f.data, 0o600); err != nil {
			return err
		}
		r, err := s.ScanFile(ctx, name)
		if err != nil {
			return err
		}
		count[r.Status]++
		fmt.Fprintf(tw, "%s\t%s\t%v\t%s\n", f.name, f.what, r.Status, reason(r))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d files: %d clean, %d unsafe, %d incomplete.\n", len(all), count[supply.StatusClean], count[supply.StatusUnsafe], count[supply.StatusIncomplete])
	return err
}

// unpack tries to unpack the archive with a name that leaves the folder.
func unpack(ctx context.Context, w io.Writer, dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, "slip.zip"))
	if err != nil {
		return err
	}
	to := filepath.Join(dir, "unpacked")
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	err = supply.Extract(ctx, bytes.NewReader(data), int64(len(data)), to, nil)
	if !errors.Is(err, supply.ErrArchive) {
		return fmt.Errorf("slip.zip was unpacked: %w", err)
	}
	_, err = fmt.Fprintf(w, "\nUnpacking slip.zip: %v\n", err)
	return err
}

// pin locks the harmless model, changes a byte of it, and writes the bill.
func pin(ctx context.Context, w io.Writer, s *supply.Scanner, dir, bom string) error {
	model := filepath.Join(dir, "model")
	if err := os.Mkdir(model, 0o700); err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		return err
	}
	weights := filepath.Join(model, "model.safetensors")
	if err := os.WriteFile(weights, data, 0o600); err != nil {
		return err
	}
	lock, err := s.Lock(ctx, os.DirFS(model), "hf://lamps/support-1b", strings.Repeat("3f", 20))
	if err != nil {
		return err
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(weights, data, 0o600); err != nil {
		return err
	}
	changes, err := lock.Verify(ctx, os.DirFS(model))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe lock has %d file of %s. After a change of one bit: %v\n", len(lock.Pins), lock.Source, changes)
	return bill(w, lock, bom)
}

func bill(w io.Writer, lock *supply.Lock, file string) error {
	model := lock.ModelComponent(&supply.ModelCard{Task: "text-generation", UseCases: []string{"support"}, Limitations: []string{"made for a lab"}})
	b := &supply.BOM{Subject: supply.Component{Type: supply.TypeApplication, Name: "lamp-assistant", Version: "1.0"}, Components: []supply.Component{model}}
	needs := []string{model.Ref()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, c := range supply.GoModules(info) {
			b.Components = append(b.Components, c)
			needs = append(needs, c.Ref())
		}
	}
	b.Needs = map[string][]string{b.Subject.Ref(): needs}
	var out bytes.Buffer
	if _, err := b.WriteTo(&out); err != nil {
		return err
	}
	fmt.Fprintf(w, "The bill of materials (CycloneDX 1.6) has a model with %d file, and the Go modules of this program.\n", len(model.Files))
	if file == "" {
		return nil
	}
	fmt.Fprintf(w, "Written to %s.\n", file)
	return os.WriteFile(file, out.Bytes(), 0o644) //nolint:gosec // a bill is meant to be read
}

func names(w io.Writer) error {
	known, err := supply.NewNames(supply.PopularNames(), nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "\nNames in a change of the requirements:")
	for _, name := range []string{"transformers", "tenserflow", "nurnpy", "requests-dev", "huggingfacehub", "meta-llarna/Llama-3.1-8B-Instruct", "fast-lamps"} {
		answer := "resembles none"
		if near, ok := known.Near(name); ok {
			answer = fmt.Sprintf("resembles %s (%s)", near.Known, near.Reason)
		}
		if _, err := fmt.Fprintf(w, "  %-34s %s\n", name, answer); err != nil {
			return err
		}
	}
	return nil
}
