package supply

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func scan(t testing.TB, name string, data []byte, o *Options) Report {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	r, err := s.Scan(context.Background(), name, bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	return r
}

const attackText = "cos\nsystem\n(S'id'\ntR."

// call is a pickle that calls a global with one text, in the words of a protocol.
func call(protocol int, module, name, argument string) []byte {
	short := func(s string) string { return "\x8c" + string(rune(len(s))) + s }
	switch protocol {
	case 0:
		return []byte("c" + module + "\n" + name + "\np0\n(V" + argument + "\np1\ntp2\nRp3\n.")
	case 2:
		return []byte("\x80\x02c" + module + "\n" + name + "\nq\x00X" + string([]byte{byte(len(argument)), 0, 0, 0}) + argument + "q\x01\x85q\x02Rq\x03.")
	}
	return []byte("\x80\x04" + short(module) + "\x94" + short(name) + "\x94\x93\x94" + short(argument) + "\x94\x85\x94R\x94.")
}

// The rows are names that public exploits of pickle scanners and loaders import.
func TestFindsEveryPublicExploit(t *testing.T) {
	data, err := os.ReadFile("testdata/exploits.tsv")
	require.NoError(t, err)
	rows := strings.Split(strings.TrimSpace(string(data)), "\n")
	require.Greater(t, len(rows), 150)
	for _, row := range rows {
		f := strings.Split(row, "\t")
		require.Len(t, f, 3, row)
		for _, protocol := range []int{0, 2, 4} {
			r := scan(t, "model.bin", call(protocol, f[0], f[1], "x"), nil)
			require.Equal(t, StatusUnsafe, r.Status, row)
			require.Equal(t, SeverityDangerous, r.Findings[0].Severity, "%s: %v", row, r.Findings)
			require.Equal(t, []Global{{f[0], f[1]}}, r.Globals, row)
			// An allow list can't make a known attack harmless.
			r = scan(t, "model.bin", call(protocol, f[0], f[1], "x"), &Options{Allow: []Global{{f[0], f[1]}}})
			require.Equal(t, StatusUnsafe, r.Status, row)
		}
	}
}

// testdata/make.py wrote the files with Python's own pickler, NumPy and joblib.
func TestPassesOrdinaryCheckpoints(t *testing.T) {
	s, err := New(nil)
	require.NoError(t, err)
	all, err := s.ScanFS(context.Background(), os.DirFS("testdata/ordinary"))
	require.NoError(t, err)
	require.Len(t, all, 32)
	formats := map[string]int{}
	for _, r := range all {
		require.Equal(t, StatusClean, r.Status, "%s: %v", r.Path, r.Findings)
		formats[r.Format]++
	}
	require.Equal(t, map[string]int{"pickle": 16, "zip": 8, "npy": 4, "gzip": 1, "zlib": 1, "bzip2": 1, "safetensors": 1}, formats)
}

// Each cut and each added byte of an ordinary file leaves it clean, or at most
// incomplete: no half a file makes a false alarm of a dangerous import.
func TestCutFilesAreNotUnsafeAndNotClean(t *testing.T) {
	for _, name := range []string{"coll_p2.pkl", "np_p4.pkl", "legacy.bin", "arrays.joblib"} {
		data, err := os.ReadFile(filepath.Join("testdata/ordinary", name))
		require.NoError(t, err)
		for n := 3; n < len(data); n += 1 + n/50 {
			r := scan(t, name, data[:n], nil)
			require.NotEqual(t, StatusUnsafe, r.Status, "%s cut at %d: %v", name, n, r.Findings)
			if strings.HasSuffix(name, ".pkl") || n < 2000 {
				require.Equal(t, StatusIncomplete, r.Status, "%s cut at %d", name, n)
			}
		}
	}
}

func TestHiddenImports(t *testing.T) {
	osSystem := "cos\nsystem\n"
	for name, c := range map[string]struct {
		pickle string
		global string // "" for one that the scanner can't name
	}{
		// picklescan#14: MEMOIZE counts the memo's entries, so BINPUT in between moves them.
		"memo of mixed instructions": {"\x80\x04\x8c\x05torchq\x05\x8c\x02os\x94\x8c\x06system\x94h\x01h\x02\x93\x8c\x01x\x85R.", "os.system"},
		"a name that is fetched":     {"\x80\x04\x8c\x06systemq\x070\x8c\x02osh\x07\x93.", "os.system"},
		"a duplicate":                {"\x80\x04\x8c\x02os20\x8c\x06system\x93.", "os.system"},
		"a pop in between":           {"\x80\x04\x8c\x02osN0\x8c\x06systemNN00\x93.", "os.system"},
		"a mark in between":          {"\x80\x04\x8c\x02os\x8c\x06system(NNN1\x93.", "os.system"},
		"a tuple in between":         {"\x80\x04\x8c\x02os\x8c\x06system(Nt0\x93.", "os.system"},
		"bytes as a name":            {"\x80\x04C\x02os\x8c\x06system\x93.", ""},
		"an old string":              {"\x80\x02U\x02osU\x06system\x93.", "os.system"},
		"an escaped string":          {"S'\\x6fs'\nS'syst\\x65m'\n\x93.", "os.system"},
		"an escaped text":            {"Vo\\u0073\nVsystem\n\x93.", "os.system"},
		"an extension code":          {"\x80\x02\x82\x01.", ""},
		"an instance":                {"(S'x'\nios\nsystem\n.", "os.system"},
		"an object":                  {"(" + osSystem + "S'x'\no.", "os.system"},
		"Python 2's name":            {"c__builtin__\neval\n.", "__builtin__.eval"},
		"after a clean pickle":       {"N." + osSystem + ".", "os.system"},
		"before the bytes break":     {osSystem + "(S'x'\ntR\xff\xff", "os.system"},
		"without a STOP":             {osSystem + "(S'x'\ntR", "os.system"},
		"through an attribute":       {"\x80\x04\x8c\x08builtins\x8c\x0deval.__call__\x93.", "builtins.eval.__call__"},
		"a private helper":           {"ctorch.utils.collect_env\nrun\n.", "torch.utils.collect_env.run"},
		// modelscan#85: BUILD puts names into something harmless.
		"BUILD on an import": {"cnumpy\ndtype\n}S'a'\nS'os'\nsb.", "numpy.dtype"},
		"sys.modules":        {"csys\nmodules\nS'a'\nNs.", "sys.modules"},
		"a call of a call":   {"ccollections\nOrderedDict\n)R)R.", "collections.OrderedDict"},
		"a call of a text":   {"S'x'\n)R.", ""},
		"the scanner itself": {"cfickling.hook\ndeactivate\n.", "fickling.hook.deactivate"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"m.pkl", "m.bin"} {
				r := scan(t, file, []byte(c.pickle), nil)
				require.Equal(t, StatusUnsafe, r.Status, "%v", r.Findings)
				require.Equal(t, []string{"LLM03:2025", "AML.T0010", "AML.T0011.000"}, r.Findings[0].Threats)
				if c.global != "" {
					var names []string
					for _, g := range r.Globals {
						names = append(names, g.String())
					}
					require.Contains(t, names, c.global)
				}
			}
		})
	}
}

func TestUnknownImportsAreUnsafeUntilAllowed(t *testing.T) {
	g := Global{"sklearn.linear_model._logistic", "LogisticRegression"}
	data := call(4, g.Module, g.Name, "x")
	r := scan(t, "m.pkl", data, nil)
	require.Equal(t, StatusUnsafe, r.Status)
	require.Equal(t, SeverityUnlisted, r.Findings[0].Severity)
	require.Equal(t, StatusClean, scan(t, "m.pkl", data, &Options{Allow: []Global{g}}).Status)
}

func TestAPickleUnderAnyName(t *testing.T) {
	for _, name := range []string{"README.md", "weights", "config.yaml", "data.dat", "x.pt"} {
		for _, protocol := range []int{0, 2, 4} {
			require.Equal(t, StatusUnsafe, scan(t, name, call(protocol, "os", "system", "id"), nil).Status, name)
		}
	}
	for _, text := range []string{"N." + attackText, attackText[:len(attackText)-1], "N.N.(dp0\n." + attackText + "trailing text"} {
		require.Equal(t, StatusUnsafe, scan(t, "notes", []byte(text), nil).Status, text)
	}
	for _, name := range []string{"m.safetensors", "m.gguf", "m.npz", "m.zip"} {
		require.Equal(t, StatusIncomplete, scan(t, name, []byte("something else"), nil).Status, name)
	}
	header := `{'descr': '|\x4f', 'fortran_order': False, 'shape': (1,)}`
	require.Equal(t, StatusUnsafe, scan(t, "a.npy", []byte("\x93NUMPY\x01\x00"+string(rune(len(header)))+"\x00"+header+attackText), nil).Status)
	require.Equal(t, StatusSkipped, scan(t, "README.md", []byte("cats and dogs\nare not pickles.\n"), nil).Status)
	require.Equal(t, StatusIncomplete, scan(t, "model.bin", []byte("this is no pickle"), nil).Status)
	require.Equal(t, StatusIncomplete, scan(t, "model.h5", []byte("\x89HDF\r\n\x1a\n000"), nil).Status)
	require.Equal(t, StatusIncomplete, scan(t, "model.onnx", []byte{8, 7, 18, 4}, nil).Status)
	require.Equal(t, StatusIncomplete, scan(t, "m.7z", []byte("7z\xbc\xaf\x27\x1c00"), nil).Status)
}

func TestLimitsOfAPickle(t *testing.T) {
	for name, data := range map[string][]byte{
		"a text of 2^63 bytes":   []byte("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff."),
		"a text of 4 GiB":        []byte("\x80\x02X\xff\xff\xff\xff."),
		"a long of 4 GiB":        []byte("\x80\x02\x8b\xff\xff\xff\x7f."),
		"a line without an end":  append([]byte("V"), bytes.Repeat([]byte("a"), maxLine+1)...),
		"too high a stack":       append(bytes.Repeat([]byte("N"), maxStack+1), '.'),
		"too many marks":         append(bytes.Repeat([]byte("("), maxStack+1), '.'),
		"a protocol to come":     []byte("\x80\x05\x80\x09N."),
		"a memo key below zero":  []byte("Np-1\n."),
		"pops of an empty stack": []byte("\x80\x02000000N."),
		"a missing memo":         []byte("\x80\x04h\x63\x8c\x06system\x93."),
	} {
		r := scan(t, "m.pkl", data, nil)
		require.Equal(t, StatusIncomplete, r.Status, "%s: %v", name, r.Findings)
	}
	r := scan(t, "m.pkl", bytes.Repeat([]byte("cos\nsystem\n"), 5000), nil)
	require.Equal(t, StatusUnsafe, r.Status)
	require.LessOrEqual(t, len(r.Findings), maxFindings+1)
	r = scan(t, "m.pkl", append(bytes.Repeat([]byte("N0"), 5000), '.'), &Options{MaxBytes: 100})
	require.Equal(t, StatusIncomplete, r.Status)
}

func TestOptions(t *testing.T) {
	for _, o := range []*Options{{MaxBytes: -1}, {MaxMembers: -1}, {Allow: []Global{{"os", "*"}}}, {Allow: []Global{{"os", ""}}}} {
		_, err := New(o)
		require.ErrorIs(t, err, ErrOption)
	}
	s, err := New(nil)
	require.NoError(t, err)
	_, err = s.Scan(context.Background(), "x", nil, 0)
	require.ErrorIs(t, err, ErrOption)
	_, err = s.ScanFS(context.Background(), nil)
	require.ErrorIs(t, err, ErrOption)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Scan(ctx, "x", bytes.NewReader(nil), 0)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.ScanFile(context.Background(), "testdata/none")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzPickle(f *testing.F) {
	for _, p := range []string{"N.", "cos\nsystem\n(S'x'\ntR.", "\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94.", "(lp0\n.", "\x80\x02}q\x00(U\x01aq\x01K\x01u.", "(i__main__\nX\n.", "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."} {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"m.pkl", "m"} {
			r := scan(t, name, data, nil)
			require.NotEqual(t, StatusUnset, r.Status)
			for i, finding := range r.Findings {
				require.NotEmpty(t, finding.Reason)
				require.LessOrEqual(t, finding.Offset, int64(len(data)))
				if i > 0 {
					require.LessOrEqual(t, finding.Severity, r.Findings[i-1].Severity)
				}
			}
		}
	})
}
