package suite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prodailabs/prodai/eval"
)

// ErrOption is wrapped by every error about a suite's fields or the options: one
// is missing, out of range or unknown.
var ErrOption = errors.New("suite: invalid option")

// A System is the system under test: a model, a pipeline, an agent.
type System func(ctx context.Context, c *eval.Case) (*eval.Output, error)

// A Suite is an evaluation: a dataset, a system and metrics. Cases, System and
// Metrics are required.
type Suite struct {
	// Name is the suite's name in reports and journals.
	Name string
	// Version names the dataset's content, such as dataset.Dataset's Version
	// returns. A journal of another version is refused.
	Version string
	// Cases are read once, one at a time, so they may come from a file of any
	// size; each must be a Case of its own, since several are in the system at
	// once. A resumed run has to see the same cases in the same order.
	Cases iter.Seq2[*eval.Case, error]
	// System answers the cases. Each call runs in a goroutine of its own.
	System System
	// Metrics measure the answers. Their names must differ.
	Metrics []eval.Metric
}

// Options sets how a suite is run; nil means the defaults.
type Options struct {
	// Concurrency is the number of cases in the system at once. Default: 1.
	Concurrency int
	// Wait is called before every call of the system and may block: the hook
	// for a rate limit. (*rate.Limiter).Wait fits. Default: no wait.
	Wait func(context.Context) error
	// Timeout bounds one call of the system. Default: no bound.
	Timeout time.Duration
	// Journal is the file that results are appended to as they finish. A run that
	// is started again with the same file continues where it stopped; two processes
	// must not share a file. Default: results are kept in memory.
	Journal string
	// RetryErrors runs the cases of the journal again that the system failed on.
	// Default: they stay errors.
	RetryErrors bool
	// Slices names the groups that a case is reported in beside the whole. After
	// the first 1,000 groups new ones are counted and left out: a group for every
	// user would be as large as the dataset. Default: [DefaultSlices].
	Slices func(*eval.Case) []string
	// Thresholds are what the scores must reach. Default: none.
	Thresholds []Threshold
	// AllowErrors is how many cases the system may fail on before the run as a
	// whole fails. Default: none.
	AllowErrors int
	// Baseline is an earlier run to compare with. Default: no comparison.
	Baseline *Baseline
	// Progress is called after every finished case, never concurrently.
	// Default: none.
	Progress func(Progress)
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Run runs a suite and returns its report. An error means that the run itself
// stopped early: a dataset that can't be read, a journal of another suite, a
// context that is done (the report then contains what was finished). Whether the
// system failed on cases or missed its thresholds is in [Report.Passed].
//
// A panic of the system or of a metric is the failure of that case, recorded with
// its stack. A panic of any other function of the suite or the options stops the
// run with an [eval.PanicError]. A system that doesn't return within a second after
// its context is done is abandoned, and that is the case's error.
//
// Memory doesn't grow with the dataset when there is a journal and no baseline,
// beyond 8 bytes a case. A value doesn't depend on Concurrency, since sums are exact.
func Run(ctx context.Context, s Suite, o *Options) (*Report, error) {
	r, err := newRun(s, o)
	if err != nil {
		return nil, err
	}
	defer r.journal.close()
	err = r.run(ctx)
	report, summing := r.report()
	if err := cmp.Or(err, summing); err != nil {
		return report, err
	}
	return report, guard("the gates", func() error { return report.judge(r.o, r.before) })
}

type run struct {
	s       Suite
	o       Options
	journal *journal
	before  map[caseKey]*Record // of the baseline
	scores  *scoreboard
	start   time.Time
	done    Progress
}

func newRun(s Suite, o *Options) (*run, error) {
	r := &run{s: s}
	if o != nil {
		r.o = *o
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := r.o.fill(s.Metrics); err != nil {
		return nil, err
	}
	var err error
	if r.scores, err = newScoreboard(s.Metrics); err != nil {
		return nil, err
	}
	if r.o.Baseline != nil {
		err = guard("Baseline.Records", func() (err error) {
			r.before, err = r.o.Baseline.load()
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	r.journal, err = openJournal(r.o.Journal, header{Suite: s.Name, Version: s.Version, Metrics: signatures(s.Metrics)}, r.o.RetryErrors, r.account)
	return r, err
}

func (s *Suite) check() error {
	switch {
	case s.Cases == nil:
		return fmt.Errorf("%w: Suite.Cases is nil", ErrOption)
	case s.System == nil:
		return fmt.Errorf("%w: Suite.System is nil", ErrOption)
	case len(s.Metrics) == 0:
		return fmt.Errorf("%w: Suite.Metrics is empty: want at least one", ErrOption)
	}
	var names []string
	for i, m := range s.Metrics {
		if m == nil {
			return fmt.Errorf("%w: Suite.Metrics[%d] is nil", ErrOption, i)
		}
		name := m.Signature().Name()
		if slices.Contains(names, name) {
			return fmt.Errorf("%w: Suite.Metrics has %s twice: want different metrics", ErrOption, name)
		}
		names = append(names, name)
	}
	return nil
}

// fill sets the defaults and checks the options.
func (o *Options) fill(metrics []eval.Metric) error {
	o.Concurrency = cmp.Or(o.Concurrency, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Slices == nil {
		o.Slices = DefaultSlices
	}
	switch {
	case o.Concurrency < 0:
		return fmt.Errorf("%w: Options.Concurrency is %d: want 1 or more", ErrOption, o.Concurrency)
	case o.AllowErrors < 0:
		return fmt.Errorf("%w: Options.AllowErrors is %d: want 0 or more", ErrOption, o.AllowErrors)
	case o.Timeout < 0:
		return fmt.Errorf("%w: Options.Timeout is %v: want 0 or more", ErrOption, o.Timeout)
	}
	for _, t := range o.Thresholds {
		if err := t.check(metrics); err != nil {
			return err
		}
	}
	if o.Baseline != nil {
		return o.Baseline.check()
	}
	return nil
}

func signatures(metrics []eval.Metric) []eval.Signature {
	sigs := make([]eval.Signature, len(metrics))
	for i, m := range metrics {
		sigs[i] = m.Signature()
	}
	return sigs
}

// account adds a finished case to the scores.
func (r *run) account(rec *Record) error {
	r.done.Done++
	if rec.Error != "" {
		r.done.Errors++
	}
	if err := r.slice(rec); err != nil { // a resumed run may have other slices
		return err
	}
	return r.scores.add(rec)
}

func (r *run) run(ctx context.Context) error {
	r.start = r.o.Now()
	r.done.Resumed = r.done.Done
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	jobs := make(chan job)
	finished := make(chan *Record)
	var workers sync.WaitGroup
	for range r.o.Concurrency {
		workers.Go(func() {
			for j := range jobs {
				rec, err := r.one(ctx, j.index, j.c)
				if err != nil {
					stop(err)
					return
				}
				finished <- rec // the collector reads until every worker is done
			}
		})
	}
	var reading error
	go func() {
		defer close(finished)
		defer workers.Wait()
		defer close(jobs)
		reading = guard("Suite.Cases", func() error { return r.read(ctx, jobs) })
	}()
	writing := r.collect(finished, stop)
	if err := cmp.Or(writing, reading); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("suite: the run stopped after %d cases: %w", r.done.Done, err)
	}
	return nil
}

type job struct {
	index int
	c     *eval.Case
}

// read sends the cases that the journal lacks to the workers.
func (r *run) read(ctx context.Context, jobs chan<- job) error {
	index := 0
	for c, err := range r.s.Cases {
		if err == nil && c == nil {
			err = fmt.Errorf("%w: the case is nil", eval.ErrCase)
		}
		if err != nil {
			return fmt.Errorf("suite: reading case %d: %w", index, err)
		}
		done, err := r.journal.has(index, c)
		if err != nil {
			return err
		}
		if !done {
			select {
			case jobs <- job{index, c}:
			case <-ctx.Done():
				return nil
			}
		}
		index++
	}
	if n := r.journal.beyond(index); n > 0 {
		return fmt.Errorf("%w: it has %d cases that the dataset of %d doesn't have", ErrJournal, n, index)
	}
	return nil
}

// collect journals and scores what the workers finish. After an error it stops
// the run and drops the rest, so that no worker is left waiting.
func (r *run) collect(finished <-chan *Record, stop context.CancelCauseFunc) error {
	var failed error
	for rec := range finished {
		if failed != nil {
			continue
		}
		if failed = r.journal.append(rec); failed == nil {
			failed = r.account(rec)
		}
		if failed != nil {
			stop(failed)
			continue
		}
		if r.o.Progress != nil {
			p := r.done
			p.Elapsed, p.Record = r.o.Now().Sub(r.start), rec
			failed = guard("Options.Progress", func() error {
				r.o.Progress(p)
				return nil
			})
			if failed != nil {
				stop(failed)
			}
		}
	}
	return failed
}

// one runs and measures one case. The error is the context's: a case that was
// interrupted is not a case that failed, and isn't recorded.
func (r *run) one(ctx context.Context, index int, c *eval.Case) (*Record, error) {
	if r.o.Wait != nil {
		if err := guard("Options.Wait", func() error { return r.o.Wait(ctx) }); err != nil {
			return nil, fmt.Errorf("suite: waiting: %w", err)
		}
	}
	rec := &Record{Index: index, Case: c}
	if err := r.slice(rec); err != nil {
		return nil, err
	}
	start := r.o.Now()
	out, err := r.ask(ctx, c)
	elapsed := r.o.Now().Sub(start)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil && out == nil {
		err = errors.New("the system returned neither an output nor an error")
	}
	if err != nil {
		rec.Error, rec.Stack = err.Error(), stackOf(err)
		return rec, nil
	}
	if out.Latency == 0 {
		copied := *out
		copied.Latency = elapsed
		out = &copied
	}
	rec.Output = out
	rec.Results = r.measure(ctx, c, out)
	for _, res := range rec.Results {
		if res.Failed != "" && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return rec, nil
}

// slice sets the groups of a record.
func (r *run) slice(rec *Record) error {
	return guard("Options.Slices", func() error {
		rec.Slices = r.o.Slices(rec.Case)
		return nil
	})
}

func unsound(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

// DefaultSlices returns the groups that a case is reported in: kind=K, and
// key=value for every tag but trace, which is different for every case. A nil
// case is in none.
func DefaultSlices(c *eval.Case) []string {
	if c == nil {
		return nil
	}
	kind := c.Kind
	if kind == "" {
		kind = eval.KindGolden
	}
	out := []string{"kind=" + string(kind)}
	for key, value := range c.Tags {
		if key != "trace" {
			out = append(out, key+"="+value)
		}
	}
	slices.Sort(out)
	return out
}
