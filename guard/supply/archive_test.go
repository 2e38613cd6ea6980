package supply

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type entry struct {
	name string
	data []byte
	mode fs.FileMode
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w, err := z.CreateHeader(h)
		require.NoError(t, err)
		_, err = w.Write(e.data)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

var evil = call(4, "os", "system", "id")

func TestArchives(t *testing.T) {
	torch, err := os.ReadFile("testdata/ordinary/torch_zip.pt")
	require.NoError(t, err)
	var tarred bytes.Buffer
	w := tar.NewWriter(&tarred)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "a/m.pkl", Size: int64(len(evil)), Mode: 0o644}))
	_, err = w.Write(evil)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var zipped bytes.Buffer
	gz := gzip.NewWriter(&zipped)
	_, err = gz.Write(tarred.Bytes())
	require.NoError(t, err)
	require.NoError(t, gz.Close())
	deep := zipOf(t, entry{name: "m.pkl", data: evil})
	for range 3 {
		deep = zipOf(t, entry{name: "in.zip", data: deep})
	}
	tooDeep := deep
	for range 4 {
		tooDeep = zipOf(t, entry{name: "in.zip", data: tooDeep})
	}
	swapped := bytes.Replace(zipOf(t, entry{name: "weights/a.txt", data: []byte("N.")}), []byte("weights/a.txt"), []byte("weights/b.pkl"), 1)
	encrypted := zipOf(t, entry{name: "m.pkl", data: evil})
	at := bytes.Index(encrypted, []byte("PK\x01\x02"))
	encrypted[at+8] |= 1
	for name, c := range map[string]struct {
		data []byte
		want Status
		kind string
	}{
		"a pickle in a member":          {zipOf(t, entry{name: "x/data.pkl", data: evil}), StatusUnsafe, KindImport},
		"under another name":            {zipOf(t, entry{name: "x/data/0", data: evil}), StatusUnsafe, KindImport},
		"beside an ordinary checkpoint": {zipOf(t, entry{name: "a.pt", data: torch}, entry{name: "b", data: evil}), StatusUnsafe, KindImport},
		"an ordinary one within":        {zipOf(t, entry{name: "a.pt", data: torch}), StatusClean, ""},
		"after other bytes":             {append([]byte("hello, I am a picture"), zipOf(t, entry{name: "m.pkl", data: evil})...), StatusUnsafe, KindImport},
		"after other bytes, harmless":   {append([]byte("hello, I am a picture"), torch...), StatusUnsafe, KindFormat},
		"a tar":                         {tarred.Bytes(), StatusUnsafe, KindImport},
		"a compressed tar":              {zipped.Bytes(), StatusUnsafe, KindImport},
		"in archives":                   {deep, StatusUnsafe, KindImport},
		"in too many archives":          {tooDeep, StatusIncomplete, KindUnread},
		"two members of one name":       {zipOf(t, entry{name: "a.txt"}, entry{name: "A.txt"}), StatusUnsafe, KindFormat},
		"two names for one member":      {swapped, StatusUnsafe, KindFormat},
		"a mark of encryption":          {encrypted, StatusUnsafe, KindImport},
		"a name that goes up":           {zipOf(t, entry{name: "../../etc/cron.d/x", data: []byte("x")}), StatusUnsafe, KindPath},
		"an absolute name":              {zipOf(t, entry{name: "/etc/passwd", data: []byte("x")}), StatusUnsafe, KindPath},
		"a name of Windows":             {zipOf(t, entry{name: `..\..\x.dll`, data: []byte("x")}), StatusUnsafe, KindPath},
		"a drive":                       {zipOf(t, entry{name: "C:/x.dll", data: []byte("x")}), StatusUnsafe, KindPath},
		"a link":                        {zipOf(t, entry{name: "x", data: []byte("/etc"), mode: fs.ModeSymlink | 0o777}), StatusUnsafe, KindPath},
		"not an archive":                {[]byte("PK\x03\x04 and nothing more"), StatusIncomplete, KindUnread},
		"a cut one":                     {torch[:len(torch)/2], StatusIncomplete, KindUnread},
	} {
		t.Run(name, func(t *testing.T) {
			r := scan(t, "model.pt", c.data, nil)
			require.Equal(t, c.want, r.Status, "%v", r.Findings)
			if c.kind != "" {
				require.Equal(t, c.kind, r.Findings[0].Kind, "%v", r.Findings)
			}
		})
	}
}

// A tensor whose bytes look like a pickle is no finding, because the checkpoint's own
// pickle says that it is a tensor; a member that nothing refers to is one.
func TestTensorsThatLookLikePickles(t *testing.T) {
	data, err := os.ReadFile("testdata/ordinary/torch_tensorpickle.pt")
	require.NoError(t, err)
	require.Contains(t, string(data), "cos\nsystem")
	require.Equal(t, StatusClean, scan(t, "m.pt", data, nil).Status)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	var again bytes.Buffer
	w := zip.NewWriter(&again)
	for _, f := range z.File {
		require.NoError(t, w.Copy(f))
		if f.Name == "archive/data/0" {
			f.Name = "archive/data/1"
			require.NoError(t, w.Copy(f))
		}
	}
	require.NoError(t, w.Close())
	require.Equal(t, StatusUnsafe, scan(t, "m.pt", again.Bytes(), nil).Status)
	// A key that points out of the folder proves nothing.
	key := "../../b/extra"
	points := "\x80\x02(U\x07storagectorch\nByteStorage\nU" + string([]byte{byte(len(key))}) + key + "U\x03cpuK" + string([]byte{byte(len(evil))}) + "tQ."
	r := scan(t, "m.pt", zipOf(t, entry{name: "a/data.pkl", data: []byte(points)}, entry{name: "b/extra", data: evil}), nil)
	require.Equal(t, StatusUnsafe, r.Status)
	// A second pickle after the first one of a checkpoint counts too.
	r = scan(t, "m.pt", zipOf(t, entry{name: "a/data.pkl", data: append([]byte("\x80\x02N."), evil...)}), nil)
	require.Equal(t, StatusUnsafe, r.Status)
}

func TestJSONAndTemplates(t *testing.T) {
	nested := `{"class_name":"Sequential","config":{"layers":[{"class_name":"Functional","config":{"layers":[{"class_name":"Lambda"}]}}]}}`
	for name, c := range map[string]struct {
		file, text string
		want       Status
	}{
		"a Lambda, two levels down":  {"config.json", nested, StatusUnsafe},
		"a layer of another package": {"config.json", `{"class_name":"X","module":"os.path"}`, StatusUnsafe},
		"a layer of Keras":           {"config.json", `{"class_name":"Dense","module":"keras.layers"}`, StatusSkipped},
		"5,000 levels":               {"config.json", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), StatusIncomplete},
		"a template":                 {"tokenizer_config.json", `{"chat_template":"{% for m in messages %}{{ m['content'] }}{% endfor %}"}`, StatusSkipped},
		"an escape":                  {"tokenizer_config.json", `{"chat_template":[{"name":"x","template":"{{ ''.__class__.__mro__[1].__subclasses__() }}"}]}`, StatusUnsafe},
		"an escape in a file":        {"chat_template.jinja", `{{ cycler.__init__.__globals__.os.popen('id') }}`, StatusUnsafe},
		"an escaped escape":          {"chat_template.jinja", `{{ x|attr("\x5f\x5fclass\x5f\x5f") }}`, StatusUnsafe},
		"broken":                     {"config.json", `{"a":`, StatusIncomplete},
	} {
		t.Run(name, func(t *testing.T) {
			r := scan(t, c.file, []byte(c.text), nil)
			require.Equal(t, c.want, r.Status, "%v", r.Findings)
		})
	}
	keras := zipOf(t, entry{name: "config.json", data: []byte(nested)}, entry{name: "model.weights.h5", data: []byte("\x89HDF\r\n\x1a\n")})
	require.Equal(t, StatusUnsafe, scan(t, "m.keras", keras, nil).Status)
	r := scan(t, "modeling.py", []byte("import os"), nil)
	require.Equal(t, SeverityNote, r.Findings[0].Severity)
}

func TestExtract(t *testing.T) {
	extract := func(dir string, data []byte, o *ExtractOptions) error {
		return Extract(context.Background(), bytes.NewReader(data), int64(len(data)), dir, o)
	}
	outside := t.TempDir()
	dir := filepath.Join(outside, "models")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, extract(dir, zipOf(t, entry{name: "a/b.txt", data: []byte("hi")}, entry{name: "c/"}), nil))
	got, err := os.ReadFile(filepath.Join(dir, "a", "b.txt"))
	require.NoError(t, err)
	require.Equal(t, "hi", string(got))
	for name, data := range map[string][]byte{
		"up":       zipOf(t, entry{name: "ok.txt", data: []byte("x")}, entry{name: "../evil.txt", data: []byte("x")}),
		"absolute": zipOf(t, entry{name: "/evil.txt", data: []byte("x")}),
		"Windows":  zipOf(t, entry{name: `..\evil.txt`, data: []byte("x")}),
		"link":     zipOf(t, entry{name: "l", data: []byte(".."), mode: fs.ModeSymlink | 0o777}, entry{name: "l/evil.txt", data: []byte("x")}),
		"existing": zipOf(t, entry{name: "a/b.txt", data: []byte("new")}),
		"none":     []byte("no archive"),
	} {
		require.ErrorIs(t, extract(dir, data, nil), ErrArchive, name)
	}
	require.NoFileExists(t, filepath.Join(dir, "ok.txt"), "all names are checked before a file is written")
	bomb := zipOf(t, entry{name: "zeros", data: make([]byte, 1<<20)})
	require.ErrorIs(t, extract(dir, bomb, &ExtractOptions{MaxBytes: 1000}), ErrArchive)
	require.ErrorIs(t, extract(dir, zipOf(t, entry{name: "1"}, entry{name: "2"}), &ExtractOptions{MaxMembers: 1}), ErrArchive)
	require.ErrorIs(t, extract(dir, nil, &ExtractOptions{MaxBytes: -1}), ErrOption)
	require.ErrorIs(t, extract("", nil, nil), ErrOption)
	// A link that is in the folder already does not lead out of it.
	if os.Symlink("..", filepath.Join(dir, "link")) == nil {
		require.Error(t, extract(dir, zipOf(t, entry{name: "link/evil.txt", data: []byte("x")}), nil))
	}
	all, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Len(t, all, 1, "nothing was written outside of the folder")
}

func FuzzArchive(f *testing.F) {
	f.Add(zipOf(f, entry{name: "data.pkl", data: evil}))
	f.Add(zipOf(f, entry{name: "../x", data: []byte("x")}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		require.NotEqual(t, StatusUnset, scan(t, "m.zip", data, &Options{MaxBytes: 1 << 20}).Status)
	})
}
