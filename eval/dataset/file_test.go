package dataset

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
)

// TestJSONLChangesNothingSilently: what encoding/json would change, or fill in,
// is an error that names the line.
func TestJSONLChangesNothingSilently(t *testing.T) {
	for name, test := range map[string]struct{ line, want string }{
		"Latin-1":                  {"{\"id\":\"a\",\"input\":\"caf\xe9\",\"references\":[\"\xe9t\xe9\"]}", "Latin-1"},
		"Latin-1 in a reference":   {"{\"input\":\"x\",\"references\":[\"\xe9t\xe9\"]}", "byte 28"},
		"Latin-1 in a tag":         {"{\"input\":\"x\",\"tags\":{\"a\":\"\xe9\"}}", "not UTF-8"},
		"UTF-16":                   {"\xff\xfe{\x00", "UTF-16"},
		"half a pair":              {`{"input":"a \ud83d b"}`, "surrogate"},
		"the other half":           {`{"input":"a \udE00"}`, "surrogate"},
		"two first halves":         {`{"input":"\ud83d\ud83d\ude00"}`, "surrogate"},
		"half a pair in a name":    {`{"input":"x","tags":{"\ud83d":"v"}}`, "surrogate"},
		"a second input":           {`{"input":"a","input":"b"}`, `"input" appears twice`},
		"a second input, escaped":  {`{"input":"a","\u0069nput":"b"}`, `"input" appears twice`},
		"a second input, in caps":  {`{"input":"a","Input":"b"}`, `"Input" appears twice`},
		"a second judgment":        {`{"input":"a","relevant":{"d":1,"e":1,"d":0}}`, `"d" appears twice`},
		"a second tag":             {`{"input":"a","tags":{"x":"1","x":"1"}}`, `"x" appears twice`},
		"a second argument text":   {`{"input":"a","calls":[{"name":"f","arguments":"{}","arguments":"{}"}]}`, `"arguments" appears twice`},
		"null":                     {`null`, "want an object"},
		"nothing":                  {`{}`, "no field input"},
		"no input":                 {`{"id":"a","references":["y"]}`, "no field input"},
		"an input deeper down":     {`{"id":"a","tags":{"input":"y"}}`, "no field input"},
		"a null input":             {`{"input":null}`, "null"},
		"a null reference":         {`{"input":"x","references":["a",null]}`, "null"},
		"a null judgment":          {`{"input":"x","relevant":{"d":null}}`, "null"},
		"a null tag":               {`{"input":"x","tags":{"t":null}}`, "null"},
		"a reference, not a list":  {`{"input":"x","references":"a"}`, "references"},
		"a grade that is no whole": {`{"input":"x","relevant":{"d":0.5}}`, "relevant"},
	} {
		_, err := ReadJSONL("d", strings.NewReader(`{"id":"0","input":"first"}`+"\n"+test.line+"\n"))
		require.ErrorIs(t, err, ErrFormat, name)
		require.ErrorContains(t, err, "line 2", name)
		require.ErrorContains(t, err, test.want, name)
	}
	for _, line := range []string{
		`{"input":"a \ud83d\ude00 \\ud83d \u00e9","references":null,"tags":null,"kind":"edge"}`,
		`{"input":"","id":"empty"}`,
		`{"Input":"x","relevant":{"input":1,"Input":2},"calls":[{"name":"f"},{"name":"f"}]}`,
		`{"input":"{\"input\":null,\"input\":1}"}`,
	} {
		_, err := ReadJSONL("d", strings.NewReader(line))
		require.NoError(t, err, line)
	}
}

func TestCSVChangesNothingSilently(t *testing.T) {
	for name, test := range map[string]struct{ csv, want string }{
		"a second input":      {"id,input,input\n1,a,b\n", "input twice"},
		"a second id":         {"id,input,id\n1,a,2\n", "id twice"},
		"a second tag column": {"input,tag:a,tag:a\nx,1,2\n", "tag:a twice"},
		"a second judgment":   {"input,relevant\nx,d=1 e=1 d=0\n", "judged twice"},
		"Latin-1":             {"input,reference\nok,\xe9t\xe9\n", "line 2: column reference"},
		"Latin-1 in a header": {"input,tag:\xe9\nok,1\n", "the header"},
		"UTF-16":              {"\xff\xfei\x00n\x00", "UTF-16"},
	} {
		_, err := ReadCSV("d", strings.NewReader(test.csv))
		require.ErrorIs(t, err, ErrFormat, name)
		require.ErrorContains(t, err, test.want, name)
	}

	d, err := ReadCSV("d", strings.NewReader("\ufeff\"id\",input,reference\r\n1,a,y\r\n,,\r\n , \t,\r\n2,\"b\r\nc\rd\n\x1a\x1ar\",z\x1ar\r\n3,,\r\n"))
	require.NoError(t, err)
	require.Equal(t, []eval.Case{
		{ID: "1", Kind: eval.KindGolden, Input: "a", References: []string{"y"}},
		{ID: "2", Kind: eval.KindGolden, Input: "b\r\nc\rd\n\x1a\x1ar", References: []string{"z\x1ar"}},
		{ID: "3", Kind: eval.KindGolden},
	}, d.Cases, "a blank row is no case; line breaks stay as they are")
}

// TestFilesKeepEveryText: a dataset is read as it was written, or not written.
func TestFilesKeepEveryText(t *testing.T) {
	r := rand.New(rand.NewPCG(63, 64))
	pieces := []string{"\r\n", "\r", "\n", "\"", ",", " ", "\t", "\x1a", "\x1ar", "\x1as", "é", "\ufffd", "\ufeff", "\u2028", "\u3000", "=", "\\.", "a", "b", "\x00", "😀", "\\ud83d", "\xe9", ""}
	text := func(most int) string {
		var b strings.Builder
		for range r.IntN(most) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	written := map[string]int{}
	for range 4_000 {
		c := eval.Case{ID: text(3), Input: text(6)}
		if r.IntN(2) == 0 {
			c.References = []string{text(5), text(5)}
		}
		if r.IntN(3) == 0 {
			c.Context, c.Tags = []string{text(4)}, map[string]string{text(3): text(3), "b": text(3)}
		}
		if r.IntN(3) == 0 {
			c.Relevant = map[string]int{text(3): r.IntN(5) - 1, "d=1": 2}
		}
		d := &Dataset{Cases: []eval.Case{{ID: "first", Input: "x"}, c}}
		var csv, jsonl bytes.Buffer
		if d.WriteCSV(&csv) == nil {
			written["csv"]++
			back, err := ReadCSV("", &csv)
			require.NoError(t, err, "%+q", c)
			requireSame(t, c, back.Cases[1])
		}
		if err := d.WriteJSONL(&jsonl); err == nil {
			written["jsonl"]++
			back, err := ReadJSONL("", &jsonl)
			require.NoError(t, err, "%+q", c)
			requireSame(t, c, back.Cases[1])
		} else {
			require.ErrorIs(t, err, ErrCase)
		}
	}
	require.Greater(t, written["csv"], 400)
	require.Greater(t, written["jsonl"], 2000)
}

func requireSame(t *testing.T, want, got eval.Case) {
	t.Helper()
	require.NoError(t, complete(&want))
	require.Equal(t, Hash(&want), Hash(&got), "want %+q\ngot  %+q", want, got)
	require.Equal(t, want, got)
}

func TestNewRefusesTextsThatAreNotUTF8(t *testing.T) {
	const bad = "caf\xe9"
	for name, c := range map[string]eval.Case{
		"id":          {ID: bad, Input: "x"},
		"input":       {Input: bad},
		"reference":   {Input: "x", References: []string{"ok", bad}},
		"passage":     {Input: "x", Context: []string{bad}},
		"document id": {Input: "x", Relevant: map[string]int{bad: 1}},
		"tag":         {Input: "x", Tags: map[string]string{"lang": bad}},
		"tool call":   {Input: "x", Calls: []eval.Call{{Name: bad}}},
	} {
		_, err := New("d", []eval.Case{c})
		require.ErrorIs(t, err, ErrCase, name)
		require.ErrorContains(t, err, name)
		d := &Dataset{Cases: []eval.Case{c}}
		require.ErrorIs(t, d.WriteJSONL(&bytes.Buffer{}), ErrCase, name)
		require.Error(t, d.WriteCSV(&bytes.Buffer{}), name)
	}
}

// FuzzStream: no panic, and what is read can be written and read again.
func FuzzStream(f *testing.F) {
	f.Add([]byte(`{"input":"a \ud83d\ude00","references":["b"],"relevant":{"d":1},"calls":[{"name":"f","arguments":"{}"}]}`))
	f.Add([]byte("\ufeff{\"input\":\"\"}\r\n\r\nnull"))
	f.Add([]byte(`{"input":"\"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ReadJSONL("", bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, d.WriteJSONL(&out))
		back, err := ReadJSONL("", &out)
		require.NoError(t, err)
		require.Equal(t, d.Version(), back.Version())
	})
}

func BenchmarkStream(b *testing.B) {
	line := `{"id":"capital","kind":"golden","input":"What is the capital of France? Answer in one word.","references":["Paris","paris"],"tags":{"lang":"en","topic":"geography"}}` + "\n"
	text := strings.Repeat(line, 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for _, err := range Stream(strings.NewReader(text)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
