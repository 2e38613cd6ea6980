package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
)

func sample(t *testing.T) *Dataset {
	d, err := New("support", []eval.Case{
		{ID: "capital", Input: "Capital of France?", References: []string{"Paris"}, Tags: map[string]string{"lang": "en"}},
		{ID: "bug-17", Kind: eval.KindRegression, Input: "2+2, \"quoted\"?", References: []string{"4", "four\nlines"}},
		{Kind: eval.KindEdge, Input: "", Relevant: map[string]int{"d1": 2, "d=2": -1}},
		{Kind: eval.KindAdversarial, Input: "Ignore 日本語 and <b>obey</b>", Context: []string{"a passage"}, Tags: map[string]string{"lang": "ja", "topic": "x"}},
	})
	require.NoError(t, err)
	return d
}

func TestFilesRoundTrip(t *testing.T) {
	d := sample(t)
	var jsonl, csv bytes.Buffer
	require.NoError(t, d.WriteJSONL(&jsonl))
	require.NoError(t, d.WriteCSV(&csv))
	for name, read := range map[string]func() (*Dataset, error){
		"jsonl": func() (*Dataset, error) { return ReadJSONL("support", &jsonl) },
		"csv":   func() (*Dataset, error) { return ReadCSV("support", &csv) },
	} {
		got, err := read()
		require.NoError(t, err, name)
		require.Equal(t, d, got, name)
		require.Equal(t, d.Version(), got.Version())
	}
}

func TestFilesRefuseWhatTheyCantMean(t *testing.T) {
	for text, want := range map[string]error{
		`{"input":"a","refrences":["b"]}`:                      ErrFormat,
		`{"input":"a"} {"input":"b"}`:                          ErrFormat,
		`{"input":"a"`:                                         ErrFormat,
		`{"input":"a","kind":"gold"}`:                          ErrCase,
		`{"input":"a","calls":[{"name":""}]}`:                  ErrCase,
		`{"input":"a","calls":[{"name":"f","arguments":"{"}]}`: ErrCase,
		"{\"input\":\"a\"}\n{\"input\":\"a\"}":                 ErrDuplicate,
		`[1]`:                                                  ErrFormat,
	} {
		_, err := ReadJSONL("x", strings.NewReader(text))
		require.ErrorIs(t, err, want, text)
	}
	for text, want := range map[string]error{
		"":                       ErrFormat,
		"question\na":            ErrFormat,
		"input,answer\na,b":      ErrFormat,
		"input,reference\na":     ErrFormat,
		"input,kind\na,gold":     ErrCase,
		"input,relevant\na,d1":   ErrFormat,
		"id,input\n1,a\n1,b":     ErrDuplicate,
		"input,relevant\na,d1=x": ErrFormat,
	} {
		_, err := ReadCSV("x", strings.NewReader(text))
		require.ErrorIs(t, err, want, text)
	}
	d, err := New("x", []eval.Case{{Input: "a", Calls: []eval.Call{{Name: "f"}}}})
	require.NoError(t, err)
	require.ErrorIs(t, d.WriteCSV(&bytes.Buffer{}), ErrFormat)
	empty, err := ReadJSONL("x", strings.NewReader("\ufeff\n\n"))
	require.NoError(t, err)
	require.Empty(t, empty.Cases)
}

func TestVersionIsTheContent(t *testing.T) {
	d := sample(t)
	v := d.Version()
	d.Cases[0], d.Cases[3] = d.Cases[3], d.Cases[0]
	require.Equal(t, v, d.Version(), "order doesn't matter")
	d.Cases[0].Tags = map[string]string{"lang": "fr"}
	require.NotEqual(t, v, d.Version())
}

func TestDiff(t *testing.T) {
	before, after := sample(t), sample(t)
	after.Cases[0].References = []string{"Paris", "paris"}
	after.Cases[1].Input = "2+3?"
	after.Cases[3].Kind = eval.KindGolden
	after.Cases[2] = eval.Case{ID: "new", Kind: eval.KindGolden, Input: "New?"}
	d := Diff(before, after)
	require.Len(t, d.Added, 1)
	require.Len(t, d.Removed, 1)
	require.Len(t, d.Changed, 3)
	require.Zero(t, d.Same)
	s := d.String()
	require.Contains(t, s, "1 added, 1 removed, 3 changed, 0 the same")
	require.Contains(t, s, "~ bug-17 regression: input\n")
	require.Contains(t, s, "~ capital golden: expectation\n")
	require.Contains(t, s, "golden: labels\n")
}

func many(n int) *Dataset {
	d := &Dataset{Name: "many"}
	for i := range n {
		kind := eval.KindGolden
		switch {
		case i%100 == 0:
			kind = eval.KindRegression
		case i%10 == 0:
			kind = eval.KindEdge
		}
		d.Cases = append(d.Cases, eval.Case{ID: fmt.Sprint("c", i), Kind: kind, Input: fmt.Sprint("question ", i)})
	}
	return d
}

func TestSampleIsStratifiedAndStable(t *testing.T) {
	d := many(1000)
	s, err := d.Sample(100, &SampleOptions{Seed: 1})
	require.NoError(t, err)
	require.Len(t, s.Cases, 100)
	require.Len(t, s.OfKind(eval.KindRegression), 1)
	require.Len(t, s.OfKind(eval.KindEdge), 9)
	small, err := d.Sample(3, &SampleOptions{Seed: 1})
	require.NoError(t, err)
	require.Len(t, small.OfKind(eval.KindRegression), 1, "the rare kind is never left out")
	again, err := d.Sample(100, &SampleOptions{Seed: 1})
	require.NoError(t, err)
	require.Equal(t, s, again)
	other, err := d.Sample(100, &SampleOptions{Seed: 2})
	require.NoError(t, err)
	require.NotEqual(t, s, other)
	for _, n := range []int{0, 1001} {
		_, err := d.Sample(n, &SampleOptions{Seed: 1})
		require.ErrorIs(t, err, ErrOption)
	}
}

func TestSplitNeverMovesACase(t *testing.T) {
	a, b, err := many(1000).Split(0.8, &SplitOptions{Seed: 3})
	require.NoError(t, err)
	require.InDelta(t, 800, len(a.Cases), 50)
	require.Equal(t, 1000, len(a.Cases)+len(b.Cases))
	in := map[string]bool{}
	for _, c := range a.Cases {
		in[c.ID] = true
	}
	grown, _, err := many(1500).Split(0.8, &SplitOptions{Seed: 3})
	require.NoError(t, err)
	kept := 0
	for _, c := range grown.Cases {
		if in[c.ID] {
			kept++
		}
	}
	require.Equal(t, len(a.Cases), kept)
	_, _, err = many(1).Split(1.1, &SplitOptions{Seed: 0})
	require.ErrorIs(t, err, ErrOption)
}

func TestNearDuplicatesAndLeaks(t *testing.T) {
	d := &Dataset{Cases: []eval.Case{
		{ID: "a", Input: "How do I reset the password of my account?"},
		{ID: "b", Input: "how do i reset the password of my account"},
		{ID: "c", Input: "How do I reset the password of my old account?"},
		{ID: "d", Input: "Where is my parcel?"},
		{ID: "e", Input: "猫"},
		{ID: "f", Input: "猫"},
	}}
	pairs, err := d.NearDuplicates(0.5)
	require.NoError(t, err)
	var got []string
	for _, p := range pairs {
		got = append(got, fmt.Sprintf("%s%s %.2f", p.A.ID, p.B.ID, p.Similarity))
	}
	require.Equal(t, []string{"ab 1.00", "ef 1.00", "ac 0.67", "bc 0.67"}, got)
	leaks, err := d.Leaks(&Dataset{Cases: []eval.Case{{ID: "z", Input: "WHERE is my parcel"}}}, 0.9)
	require.NoError(t, err)
	require.Len(t, leaks, 1)
	require.Equal(t, "d", leaks[0].A.ID)
	_, err = d.NearDuplicates(0)
	require.ErrorIs(t, err, ErrOption)
}

func TestContaminated(t *testing.T) {
	d := &Dataset{Cases: []eval.Case{
		{ID: "seen", Input: "In which year did the first person walk on the surface of the moon?"},
		{ID: "fresh", Input: "What did our billing system say to customer 4711 about the refund of last week?"},
		{ID: "short", Input: "Hello world", References: []string{"Paris"}},
		{ID: "empty", Input: "?!"},
	}}
	corpus := func(yield func(string) bool) {
		_ = yield("Quiz: in which year did the first person walk on the surface of the moon? 1969! Paris.") && yield("hello, WORLD")
	}
	got, err := d.Contaminated(corpus, &ContaminationOptions{Words: 8, Share: 0.5})
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "seen", got[0].Case.ID)
	require.Equal(t, 1.0, got[0].Share)
	require.Equal(t, "short", got[1].Case.ID)
	_, err = d.Contaminated(corpus, &ContaminationOptions{Words: -1})
	require.ErrorIs(t, err, ErrOption)
}

func TestFromTraces(t *testing.T) {
	good, bad := 1.0, -1.0
	records := []Record{
		{ID: "t1", Time: time.Unix(1, 0), Input: "Mail bob@example.com?", Output: "Sent.", Feedback: &good, Tags: map[string]string{"user": "u1"}},
		{ID: "t2", Input: "Broken?", Output: "Yes", Feedback: &bad},
		{ID: "t3", Input: "Crash?", Error: "timeout"},
		{ID: "t4", Input: "Nobody judged this", Output: "x"},
		{ID: "t5", Input: "broken", Corrected: "No.", Context: []string{"bob@example.com wrote"}},
		{ID: "t6", Input: "Another?", Output: "y", Feedback: &good, Tags: map[string]string{"user": "u1"}},
	}
	seq := func(yield func(Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
	redact := func(s string) string { return strings.ReplaceAll(s, "bob@example.com", "[mail]") }
	d, err := FromTraces("prod", seq, &TraceOptions{Redact: redact, Tag: "user", PerTag: 2})
	require.NoError(t, err)
	byTrace := map[string]eval.Case{}
	for _, c := range d.Cases {
		byTrace[c.Tags["trace"]] = c
	}
	require.Len(t, byTrace, 4)
	require.Equal(t, "Mail [mail]?", byTrace["t1"].Input)
	require.Equal(t, eval.KindGolden, byTrace["t1"].Kind)
	require.Equal(t, []string{"No."}, byTrace["t5"].References, "the correction replaces the rejected answer")
	require.Equal(t, []string{"[mail] wrote"}, byTrace["t5"].Context)
	require.NotContains(t, byTrace, "t4")
	require.Equal(t, []string{byTrace["t3"].ID}, d.Unlabeled())

	broken := errors.New("broken")
	_, err = FromTraces("x", func(yield func(Record, error) bool) { yield(Record{}, broken) }, nil)
	require.ErrorIs(t, err, broken)
}

func FuzzReadJSONL(f *testing.F) {
	f.Add([]byte(`{"id":"a","input":"b","references":["c"],"relevant":{"d":1},"tags":{"e":"f"}}`))
	f.Add([]byte("\n{\"input\":\"\"}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ReadJSONL("f", bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, d.WriteJSONL(&out))
		again, err := ReadJSONL("f", &out)
		require.NoError(t, err)
		require.Equal(t, d.Version(), again.Version())
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("id,kind,input,reference,reference,relevant,tag:x\na,edge,b,c,d,e=1 f=2,g\n"))
	f.Add([]byte("input\n\"a\nb\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ReadCSV("f", bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := d.WriteCSV(&out); err != nil {
			return
		}
		again, err := ReadCSV("f", &out)
		require.NoError(t, err, "%q", out.String())
		require.Equal(t, d.Version(), again.Version(), "%q", out.String())
	})
}

// TestNilAndBadOptions: a required argument that is nil and an invalid option give
// ErrOption from each function that takes them.
func TestNilAndBadOptions(t *testing.T) {
	d := many(3)
	texts := slices.Values([]string{"a"})
	errOf := func(_ any, err error) error { return err }
	_, _, split := d.Split(math.NaN(), nil)
	var streamed error
	for _, err := range Stream(nil) {
		streamed = err
	}
	for name, err := range map[string]error{
		"Stream":                streamed,
		"ReadJSONL":             errOf(ReadJSONL("d", nil)),
		"ReadCSV":               errOf(ReadCSV("d", nil)),
		"WriteJSONL":            d.WriteJSONL(nil),
		"WriteCSV":              d.WriteCSV(nil),
		"Leaks":                 errOf(d.Leaks(nil, 0.5)),
		"NearDuplicates, NaN":   errOf(d.NearDuplicates(math.NaN())),
		"FromTraces":            errOf(FromTraces("d", nil, nil)),
		"FromTraces, feedback":  errOf(FromTraces("d", func(func(Record, error) bool) {}, &TraceOptions{MinAccepted: -1, MaxRejected: 1})),
		"FromTraces, per tag":   errOf(FromTraces("d", func(func(Record, error) bool) {}, &TraceOptions{PerTag: -1})),
		"Contaminated":          errOf(d.Contaminated(nil, nil)),
		"Contaminated, share":   errOf(d.Contaminated(texts, &ContaminationOptions{Share: 2})),
		"Sample, more than all": errOf(d.Sample(4, nil)),
		"Split, NaN":            split,
	} {
		require.ErrorIs(t, err, ErrOption, name)
	}
	require.Equal(t, ID(&eval.Case{}), ID(nil))
	require.Equal(t, Hash(&eval.Case{}), Hash(nil))
	require.Len(t, Diff(nil, d).Added, 3)
	require.Len(t, Diff(d, nil).Removed, 3)
}
