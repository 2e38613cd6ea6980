package supply

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
)

// The schemas are those of CycloneDX/specification, commit e02a34ae (Apache-2.0).
func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".gz")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	data, err := io.ReadAll(z)
	require.NoError(t, err)
	s := &jsonschema.Schema{}
	require.NoError(t, json.Unmarshal(data, s))
	return s
}

func validator(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	r, err := schema(t, "bom-1.6.schema.json").Resolve(&jsonschema.ResolveOptions{
		BaseURI: "http://cyclonedx.org/schema/bom-1.6.schema.json",
		Loader:  func(u *url.URL) (*jsonschema.Schema, error) { return schema(t, path.Base(u.Path)), nil },
	})
	require.NoError(t, err)
	return r
}

func valid(t *testing.T, v *jsonschema.Resolved, data []byte) error {
	t.Helper()
	var doc any
	require.NoError(t, json.Unmarshal(data, &doc))
	return v.Validate(doc)
}

func sample(t *testing.T) *BOM {
	t.Helper()
	s, err := New(nil)
	require.NoError(t, err)
	l, err := s.Lock(context.Background(), folder(), "hf://org/model", revision)
	require.NoError(t, err)
	data := Component{Type: TypeData, Name: "squad", Version: "2.0", License: "CC-BY-SA-4.0"}
	model := l.ModelComponent(&ModelCard{Task: "question-answering", Architecture: "llama", Approach: "self-supervised", Datasets: []string{data.Ref()},
		Metrics: []Metric{{Name: "attack success rate", Slice: "LLM01:2025", Value: .05, Low: .01, High: .17}}, UseCases: []string{"support"}, Limitations: []string{"English only"}})
	model.License = "Llama 3.1 Community License"
	modules := GoModules(&debug.BuildInfo{Deps: []*debug.Module{{Path: "golang.org/x/text", Version: "v0.43.0", Sum: "h1:abc="}, {Path: "a.test/old", Version: "v1.0.0", Replace: &debug.Module{Path: "a.test/new", Version: "v1.1.0"}}}})
	b := &BOM{Subject: Component{Type: TypeApplication, Name: "assistant", Version: "1.0", Supplier: "Example", License: "MIT OR Apache-2.0", Description: "answers questions"},
		Components: append([]Component{data, model}, modules...), Time: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)}
	b.Needs = map[string][]string{b.Subject.Ref(): {model.Ref(), modules[0].Ref()}, model.Ref(): {data.Ref()}}
	return b
}

func TestBOMFitsTheSchema(t *testing.T) {
	v := validator(t)
	b := sample(t)
	var out, again bytes.Buffer
	_, err := b.WriteTo(&out)
	require.NoError(t, err)
	require.NoError(t, valid(t, v, out.Bytes()))
	_, err = b.WriteTo(&again)
	require.NoError(t, err)
	require.Equal(t, out.String(), again.String())
	for _, want := range []string{"machine-learning-model", "pkg:huggingface/org/model@" + revision, "pkg:golang/a.test/new@v1.1.0", "Llama 3.1 Community License", `"expression": "MIT OR Apache-2.0"`, "confidenceInterval"} {
		require.Contains(t, out.String(), want)
	}
	var empty bytes.Buffer
	_, err = (&BOM{Subject: Component{Type: TypeApplication, Name: "a"}}).WriteTo(&empty)
	require.NoError(t, err)
	require.NoError(t, valid(t, v, empty.Bytes()))
	// The test can fail: each change breaks a rule of the schema.
	for old, broken := range map[string]string{
		`"specVersion": "1.6"`: `"specVersion": 1.6`, `"machine-learning-model"`: `"model"`, `"alg": "SHA-256"`: `"alg": "SHA-255"`,
		"urn:uuid:": "uuid:", `"id": "CC-BY-SA-4.0"`: `"id": "CC-BY-SA"`, `"self-supervised"`: `"selfish"`, `"modelCard"`: `"modelcard"`,
	} {
		require.Contains(t, out.String(), old)
		require.Error(t, valid(t, v, bytes.ReplaceAll(out.Bytes(), []byte(old), []byte(broken))), old)
	}
	for _, id := range spdxIDs { // each id is one of SPDX's list, as the schema has it
		c := &BOM{Subject: Component{Type: TypeLibrary, Name: "a", License: id}}
		out.Reset()
		_, err := c.WriteTo(&out)
		require.NoError(t, err)
		require.NoError(t, valid(t, v, out.Bytes()), id)
	}
}

func TestBOMRefuses(t *testing.T) {
	for name, change := range map[string]func(*BOM){
		"no name":             func(b *BOM) { b.Subject.Name = "" },
		"no type":             func(b *BOM) { b.Subject.Type = "thing" },
		"two of one ref":      func(b *BOM) { b.Components = append(b.Components, b.Components[0]) },
		"an unknown need":     func(b *BOM) { b.Needs["x"] = nil },
		"a need of itself":    func(b *BOM) { r := b.Subject.Ref(); b.Needs[r] = []string{r} },
		"an unknown data set": func(b *BOM) { b.Components[1].Model.Datasets = []string{"data:x"} },
		"an approach":         func(b *BOM) { b.Components[1].Model.Approach = "guessed" },
		"a hash":              func(b *BOM) { b.Components[1].Files[0].SHA256 = "1" },
	} {
		b := sample(t)
		change(b)
		_, err := b.WriteTo(io.Discard)
		require.ErrorIs(t, err, ErrBOM, name)
	}
}

// cyclonedx-gomod#720: two versions of a module became one entry that needed itself.
func TestGoGraph(t *testing.T) {
	parts, needs, err := ReadGoGraph(strings.NewReader("app a.test/m@v2.0.0\na.test/m@v2.0.0 a.test/m@v1.0.0\napp a.test/m@v2.0.0\n\n"))
	require.NoError(t, err)
	require.Len(t, parts, 3)
	b := &BOM{Subject: Component{Type: TypeApplication, Name: "x"}, Components: parts, Needs: needs}
	var out bytes.Buffer
	_, err = b.WriteTo(&out)
	require.NoError(t, err)
	require.NoError(t, valid(t, validator(t), out.Bytes()))
	require.Equal(t, map[string][]string{"library:app": {"library:a.test/m@v2.0.0"}, "library:a.test/m@v2.0.0": {"library:a.test/m@v1.0.0"}}, needs)
	_, _, err = ReadGoGraph(strings.NewReader("one two three"))
	require.ErrorIs(t, err, ErrBOM)
	_, _, err = ReadGoGraph(nil)
	require.ErrorIs(t, err, ErrOption)
	require.Nil(t, GoModules(nil))
}
