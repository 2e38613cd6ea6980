// Capstone is the end-to-end system of the last assignment: a production
// service that answers questions from documents, with citations, over the
// OpenAI protocol and on a page.
//
//	go run ./examples/capstone                      serve, at http://127.0.0.1:8080/
//	go run ./examples/capstone ask "why jitter?"    one question, in the terminal
//	go run ./examples/capstone ingest DIR|FILE...   add your own documents
//	go run ./examples/capstone eval                 questions of independent authors; fails if too few answers are useful
//	go run ./examples/capstone redteam              attack the service, with each check of its guard off in turn
//	go run ./examples/capstone tune -o FILE         fit the embedder to the course's questions, and measure it
//
// Without any setting it runs offline: the course's own notes and examples are
// the documents, and the answers are quoted from them. A question that they do not
// answer gets the nearest passages. A language model of your own is named by
// OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL; it gets the same passages, and its
// citations are checked. -h after a command lists its flags.
//
// The flag -gguf FILE, or PRODAI_GGUF, lets a Llama or Qwen model answer in this process
// instead; -gguf list shows the models that Ollama and LM Studio have on this machine. A
// model of 135 million weights answers far worse than the quotes; the program says so, with
// what was measured (testdata/questions/README.md).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prodailabs/prodai/examples/capstone/internal/gateway"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, stop, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "capstone:", err)
		os.Exit(1)
	}
}

// run carries out a command line. release gives signals their ordinary effect
// back.
func run(ctx context.Context, release func(), args []string, out, errs io.Writer) error {
	commands := map[string]func(context.Context, *settings, []string, io.Writer) error{
		"serve": serve, "ask": ask, "ingest": ingest, "eval": evaluate, "tune": tuning, "redteam": redTeam,
	}
	name := "serve"
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	}
	command, ok := commands[name]
	if !ok {
		return fmt.Errorf("there is no command %q, only serve, ask, ingest, eval, tune and redteam", name)
	}
	s, rest, err := parse(name, args, errs)
	if err != nil {
		return err
	}
	s.release = release
	if s.gguf == "list" {
		return listModels(out)
	}
	return command(ctx, s, rest, out)
}

// defaultCollection is the file that ingest writes and the others read, if it
// is there.
const defaultCollection = "capstone.collection"

// settings are the flags of all commands.
type settings struct {
	address    string
	collection string
	spans      string
	noCourse   bool
	gguf       string
	verbose    bool
	floor      float64
	last       string
	set        string
	sample     int
	answers    string
	output     string
	epochs     int
	seed       uint64
	delay      time.Duration
	grace      time.Duration
	tenant     func(context.Context) string
	log        io.Writer
	release    func()
}

func parse(name string, args []string, errs io.Writer) (*settings, []string, error) {
	s := &settings{log: errs, tenant: gateway.Tenant}
	f := flag.NewFlagSet("capstone "+name, flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&s.collection, "collection", "", "file of the passages (default "+defaultCollection+" if it is there, else memory)")
	f.BoolVar(&s.noCourse, "no-course", false, "leave out the course's own notes and examples")
	f.StringVar(&s.spans, "spans", "", "append finished spans to this file as JSON lines")
	if name == "serve" || name == "ask" || name == "eval" {
		f.StringVar(&s.gguf, "gguf", os.Getenv("PRODAI_GGUF"), "GGUF file, or folder of a Hugging Face checkpoint, of a model that answers in this process; or list for those on this machine (default $PRODAI_GGUF)")
	}
	if name == "serve" {
		f.StringVar(&s.address, "addr", "127.0.0.1:8080", "address to listen on; one that others can reach needs CAPSTONE_API_KEYS")
		f.BoolVar(&s.verbose, "v", false, "log each request (failures are always logged)")
		f.DurationVar(&s.grace, "grace", 30*time.Second, "how long the answers in progress may take after that")
		f.DurationVar(&s.delay, "drain-delay", 0, "how long to go on serving after the signal to stop, with /readyz failing; behind a load balancer, longer than its probe's period")
	}
	if name == "eval" {
		f.Float64Var(&s.floor, "floor", 0.6, "share of the questions that the notes answer which must get a useful answer")
		f.StringVar(&s.last, "last", "", "file of the last run's verdicts, which this run is compared with (default in the user's cache folder)")
		f.StringVar(&s.set, "set", "", "ask one set: dev, held, later, fourth, fifth, translated or aspects (default all but the last two)")
		f.IntVar(&s.sample, "sample", 0, "ask so many questions, drawn at random (default all); a language model takes seconds for each")
		f.Uint64Var(&s.seed, "seed", 0, "of the sample")
		f.StringVar(&s.answers, "answers", "", "write each question with its answer to this file, as JSON lines")
	}
	if name == "tune" {
		f.StringVar(&s.output, "o", "", "file to write the tuned rows to (required)")
		f.IntVar(&s.epochs, "epochs", 0, "how often each question is trained on (default 8)")
		f.Uint64Var(&s.seed, "seed", 0, "of the order of the questions and of those that are held out")
	}
	if name == "redteam" {
		f.StringVar(&s.output, "o", "", "write the report of the service with all checks to this HTML file")
	}
	if err := f.Parse(args); err != nil {
		return nil, nil, err
	}
	if s.collection == "" {
		if _, err := os.Stat(defaultCollection); err == nil || name == "ingest" {
			s.collection = defaultCollection
		}
	}
	return s, f.Args(), nil
}

// open makes the service that the settings and the environment ask for. close
// must be called.
func (s *settings) open(ctx context.Context) (*service.Service, func() error, error) {
	o := service.Options{
		Collection: s.collection, NoCourse: s.noCourse, Tenant: s.tenant,
		APIKey: os.Getenv("OPENAI_API_KEY"), BaseURL: os.Getenv("OPENAI_BASE_URL"), Model: os.Getenv("OPENAI_MODEL"),
		GGUF: s.gguf,
	}
	log, err := s.logger()
	if err != nil {
		return nil, nil, err
	}
	o.Log = log.Handler() // the layers' decisions with -v, else their failures
	var file *os.File
	if s.spans != "" {
		if file, err = os.OpenFile(s.spans, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return nil, nil, err
		}
		o.Spans = file
	}
	svc, err := service.New(ctx, o)
	if err != nil {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		return nil, nil, err
	}
	return svc, func() error {
		err := svc.Close(context.WithoutCancel(ctx))
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		return err
	}, nil
}
