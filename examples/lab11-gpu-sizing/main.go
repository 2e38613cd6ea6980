// Lab11-gpu-sizing computes which model fits on which GPU, how many requests run at once
// there, and how fast it can be at best. No network is used.
//
//	go run ./examples/lab11-gpu-sizing
//	go run ./examples/lab11-gpu-sizing -model Llama-3.1-70B -gpus 2 -weights FP8
//	go run ./examples/lab11-gpu-sizing -config config.json
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/prodailabs/prodai/cache/engine/size"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab11-gpu-sizing:", err)
		os.Exit(1)
	}
}

var formats = []size.Format{size.FormatBF16, size.FormatFP8, size.FormatINT8, size.FormatINT4, size.FormatMXFP4}

func parseFormat(name string) (size.Format, error) {
	var names []string
	for _, f := range formats {
		if strings.EqualFold(f.String(), name) {
			return f, nil
		}
		names = append(names, f.String())
	}
	return 0, fmt.Errorf("unknown format %q: want one of %s", name, strings.Join(names, ", "))
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab11-gpu-sizing", flag.ContinueOnError)
	f.SetOutput(errs)
	name := f.String("model", "Llama-3.1-8B", "a model of package size")
	config := f.String("config", "", "the config.json of a model, instead of -model")
	weights := f.String("weights", "", "the format of the weights: BF16, FP8, INT8, INT4 or MXFP4 (default: three of them)")
	o := size.Options{}
	f.IntVar(&o.GPUs, "gpus", 1, "GPUs that share the model")
	f.IntVar(&o.Length, "length", 8192, "the longest prompt and answer, in tokens")
	f.IntVar(&o.Typical, "typical", 1500, "a usual prompt and answer, in tokens")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	model, err := find(*name, *config)
	if err != nil {
		return err
	}
	shown := []size.Format{size.FormatBF16, size.FormatFP8, size.FormatINT4}
	if *weights != "" {
		format, err := parseFormat(*weights)
		if err != nil {
			return err
		}
		shown = []size.Format{format}
	}
	return table(out, model, o, shown)
}

func find(name, config string) (size.Model, error) {
	if config == "" {
		m, ok := size.FindModel(name)
		if !ok {
			var names []string
			for _, m := range size.Models() {
				names = append(names, m.Name)
			}
			return m, fmt.Errorf("unknown model %q: want one of %s, or -config FILE", name, strings.Join(names, ", "))
		}
		return m, nil
	}
	file, err := os.Open(config)
	if err != nil {
		return size.Model{}, err
	}
	defer func() { _ = file.Close() }()
	m, err := size.ReadConfig(file)
	if err != nil {
		return size.Model{}, err
	}
	return *m, nil
}

func table(out io.Writer, model size.Model, o size.Options, formats []size.Format) error {
	n, err := model.Weights()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %.1f billion weights, %.0f bytes of KV cache for each token\n", model.Name, float64(n)/1e9, model.KVBytesPerToken(size.FormatBF16))
	fmt.Fprintf(out, "One request has up to %d tokens, and %d usually. Speeds are bounds, in tokens a second.\n\n", o.Length, o.Typical)
	fmt.Fprintln(out, "   GPU             weights  left for KV   at once: longest  usual   one request   all   prompts")
	var best *size.Report
	for _, gpu := range size.GPUs() {
		for _, format := range formats {
			if format == size.FormatFP8 && gpu.FP8TFLOPS == 0 {
				continue // it has no units for numbers of this format
			}
			o.Weights = format
			r, err := size.Plan(model, gpu, &o)
			if err != nil {
				return err
			}
			label := gpu.Name
			if o.GPUs > 1 {
				label = fmt.Sprintf("%d × %s", o.GPUs, gpu.Name)
			}
			fmt.Fprintf(out, "   %-14s %-5s %5.1f ", label, format, r.WeightBytes/1e9)
			switch {
			case r.KVBytes <= 0:
				fmt.Fprintln(out, "     does not fit")
			case r.AtLength == 0:
				fmt.Fprintf(out, "%9.1f GB    fits, but not one request of the longest\n", r.KVBytes/1e9)
			default:
				fmt.Fprintf(out, "%9.1f GB  %17d %6d %13.0f %6.0f %8.0f\n", r.KVBytes/1e9, r.AtLength, r.AtTypical, r.DecodeOne, r.DecodeAll, r.Prefill)
				if best == nil {
					best = r
				}
			}
		}
	}
	fmt.Fprintln(out)
	if best != nil {
		fmt.Fprintf(out, "The first row that works, %s with %s, as a command of vLLM:\n   %s\n\n", best.GPU.Name, best.Weights, strings.Join(best.Flags("NAME"), " "))
	}
	fmt.Fprintln(out, "What to notice: \"fits\" is not enough. The memory that is left decides how many requests")
	fmt.Fprintln(out, "run at once, and these share one read of the weights: compare the columns \"one request\"")
	fmt.Fprintln(out, "and \"all\". Prompts cost operations, so their column follows the units of the GPU: INT4 is")
	fmt.Fprintln(out, "computed with 16 bits. A GPU without units for FP8 has no row for it.")
	fmt.Fprintln(out, "What to try: -length 131072, -model Llama-3.1-70B -gpus 4, -model DeepSeek-V3 -gpus 8.")
	fmt.Fprintln(out, "What to read: go doc ./cache/engine/size, whose table has the published figures.")
	return nil
}
