package supply

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// ErrBOM reports a bill of materials that would not be valid.
var ErrBOM = errors.New("supply: the bill of materials is not valid")

// The types of components that an AI system is made of.
const (
	TypeApplication = "application"
	TypeLibrary     = "library"
	TypeModel       = "machine-learning-model"
	TypeData        = "data"
	TypeFile        = "file"
)

// A Component is one part of a system.
type Component struct {
	Type        string // one of the Type constants
	Name        string
	Version     string // of a model: the commit
	Supplier    string // the organization
	Description string
	License     string            // an SPDX id such as "Apache-2.0", an expression, or a name
	PURL        string            // a package URL such as "pkg:golang/golang.org/x/text@v0.43.0"
	SHA256      string            // in hexadecimal, of a file
	Properties  map[string]string // what no other field has
	Files       []Component       // the files of a model
	Model       *ModelCard        // of a model
}

// Ref returns the id of the component in the bill. Name and version together are the
// identity: two versions of a library are two components.
func (c *Component) Ref() string {
	ref := c.Type + ":" + c.Name
	if c.Version != "" {
		ref += "@" + c.Version
	}
	return ref
}

// A ModelCard is what a bill has of a model besides its files.
type ModelCard struct {
	Task         string   // such as "text-generation"
	Architecture string   // such as "llama"
	Approach     string   // "supervised", "unsupervised", "reinforcement-learning", "semi-supervised" or "self-supervised"
	Datasets     []string // refs of components of type data
	Metrics      []Metric
	UseCases     []string
	Limitations  []string
}

// A Metric is a measured figure of a model, with its interval.
type Metric struct {
	Name, Slice      string // what was measured, and on which data
	Value, Low, High float64
}

// A BOM is an AI bill of materials: the system, the parts it is made of, and which
// part needs which.
type BOM struct {
	Subject    Component
	Components []Component
	Needs      map[string][]string // ref -> the refs of what it needs
	Time       time.Time           // zero leaves the time out, so equal parts give equal bytes
}

// ModelComponent makes the component of a model from its lock: name, commit, the files
// and their hashes.
func (l *Lock) ModelComponent(card *ModelCard) Component {
	name := l.Source
	if u, err := url.Parse(l.Source); err == nil && u.Scheme != "" {
		name = strings.Trim(u.Host+u.Path, "/")
	}
	c := Component{Type: TypeModel, Name: name, Version: l.Revision, Model: card, Properties: map[string]string{"prodai:source": l.Source}}
	if strings.HasPrefix(l.Source, "hf://") {
		c.PURL = "pkg:huggingface/" + name + "@" + l.Revision
	}
	for _, p := range l.Pins {
		c.Files = append(c.Files, Component{Type: TypeFile, Name: name + "/" + p.Path, Version: l.Revision, SHA256: p.SHA256, Properties: map[string]string{"prodai:scan": p.Status}})
	}
	return c
}

// GoModules returns the components of the Go modules that a program was built from:
// debug.ReadBuildInfo has them.
func GoModules(info *debug.BuildInfo) []Component {
	if info == nil {
		return nil
	}
	var all []Component
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := goModule(m.Path, m.Version)
		if m.Sum != "" {
			c.Properties = map[string]string{"prodai:go.sum": m.Sum}
		}
		all = append(all, c)
	}
	return all
}

func goModule(name, version string) Component {
	return Component{Type: TypeLibrary, Name: name, Version: version, PURL: "pkg:golang/" + name + "@" + version}
}

// ReadGoGraph reads the output of "go mod graph". Two versions of one module are two
// components, and no component needs itself.
func ReadGoGraph(r io.Reader) ([]Component, map[string][]string, error) {
	if r == nil {
		return nil, nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	found, needs := map[string]Component{}, map[string][]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) == 0 {
			continue
		}
		if len(f) != 2 {
			return nil, nil, fmt.Errorf("%w: the line %.80q of the graph has %d words: want 2", ErrBOM, lines.Text(), len(f))
		}
		var refs [2]string
		for i, word := range f {
			name, version, _ := strings.Cut(word, "@")
			c := goModule(name, version)
			refs[i] = c.Ref()
			found[refs[i]] = c
		}
		if refs[0] != refs[1] && !slices.Contains(needs[refs[0]], refs[1]) {
			needs[refs[0]] = append(needs[refs[0]], refs[1])
		}
	}
	var all []Component
	for _, ref := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[ref])
	}
	return all, needs, lines.Err()
}

// WriteTo writes the bill as CycloneDX 1.6 JSON. Equal bills give equal bytes: the
// serial number follows from the content. A component without a name, two components
// with one ref, a need of an unknown ref, or a part that needs itself is an error that
// wraps [ErrBOM].
//
// Source: https://cyclonedx.org/docs/1.6/json/.
func (b *BOM) WriteTo(w io.Writer) (int64, error) {
	refs := map[string]bool{}
	subject, err := b.Subject.json(refs)
	if err != nil {
		return 0, err
	}
	doc := map[string]any{
		"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
	}
	meta := map[string]any{"component": subject}
	if !b.Time.IsZero() {
		meta["timestamp"] = b.Time.UTC().Format(time.RFC3339)
	}
	doc["metadata"] = meta
	components := []any{}
	for i := range b.Components {
		c, err := b.Components[i].json(refs)
		if err != nil {
			return 0, err
		}
		components = append(components, c)
	}
	doc["components"] = components
	if err := b.checkDatasets(refs); err != nil {
		return 0, err
	}
	if doc["dependencies"], err = b.dependencies(refs); err != nil {
		return 0, err
	}
	content, err := json.Marshal(doc)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(content)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // a UUID of version 8: RFC 9562, 5.8
	h := hex.EncodeToString(sum[:16])
	doc["serialNumber"] = fmt.Sprintf("urn:uuid:%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
	out, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return 0, err
	}
	n, err := w.Write(append(out, '\n'))
	return int64(n), err
}

func (b *BOM) checkDatasets(refs map[string]bool) error {
	for _, c := range append([]Component{b.Subject}, b.Components...) {
		if c.Model == nil {
			continue
		}
		for _, ref := range c.Model.Datasets {
			if !refs[ref] {
				return fmt.Errorf("%w: the data set %q of %s is not among the components", ErrBOM, ref, c.Ref())
			}
		}
	}
	return nil
}

func (b *BOM) dependencies(refs map[string]bool) ([]any, error) {
	all := []any{}
	for _, from := range slices.Sorted(maps.Keys(b.Needs)) {
		to := slices.Clone(b.Needs[from])
		slices.Sort(to)
		to = slices.Compact(to)
		for _, ref := range append([]string{from}, to...) {
			if !refs[ref] {
				return nil, fmt.Errorf("%w: %q is needed or needs something, and is not among the components", ErrBOM, ref)
			}
		}
		if slices.Contains(to, from) {
			return nil, fmt.Errorf("%w: %q needs itself", ErrBOM, from)
		}
		all = append(all, map[string]any{"ref": from, "dependsOn": to})
	}
	return all, nil
}

// spdxIDs are the ids that a license may have without being an expression. Others are
// written as a name, which the schema takes as it is.
var spdxIDs = strings.Fields(`Apache-2.0 MIT BSD-2-Clause BSD-3-Clause ISC MPL-2.0 GPL-2.0-only GPL-3.0-only LGPL-2.1-only LGPL-3.0-only AGPL-3.0-only
	CC0-1.0 CC-BY-4.0 CC-BY-SA-4.0 CC-BY-NC-4.0 Unlicense Zlib PSF-2.0 BSL-1.0 EPL-2.0 OFL-1.1 Artistic-2.0 WTFPL 0BSD`)

var (
	types    = []string{TypeApplication, TypeLibrary, TypeModel, TypeData, TypeFile}
	combined = regexp.MustCompile(` (AND|OR|WITH) `)
)

// json returns the component as CycloneDX has it.
func (c *Component) json(refs map[string]bool) (map[string]any, error) {
	ref := c.Ref()
	switch {
	case c.Name == "" || !slices.Contains(types, c.Type):
		return nil, fmt.Errorf("%w: a component has the type %q and the name %q: want one of %v, and a name", ErrBOM, c.Type, c.Name, types)
	case refs[ref]:
		return nil, fmt.Errorf("%w: two components are %s", ErrBOM, ref)
	case c.SHA256 != "" && !digest.MatchString(c.SHA256):
		return nil, fmt.Errorf("%w: the SHA-256 of %s is %q: want 64 hexadecimal digits", ErrBOM, ref, c.SHA256)
	}
	refs[ref] = true
	m := map[string]any{"type": c.Type, "bom-ref": ref, "name": c.Name}
	for key, v := range map[string]string{"version": c.Version, "description": c.Description, "purl": c.PURL} {
		if v != "" {
			m[key] = v
		}
	}
	if c.Supplier != "" {
		m["supplier"] = map[string]any{"name": c.Supplier}
	}
	switch {
	case combined.MatchString(c.License):
		m["licenses"] = []any{map[string]any{"expression": c.License}}
	case slices.Contains(spdxIDs, c.License):
		m["licenses"] = []any{map[string]any{"license": map[string]any{"id": c.License}}}
	case c.License != "":
		m["licenses"] = []any{map[string]any{"license": map[string]any{"name": c.License}}}
	}
	if c.SHA256 != "" {
		m["hashes"] = []any{map[string]any{"alg": "SHA-256", "content": c.SHA256}}
	}
	if len(c.Properties) > 0 {
		var list []any
		for _, key := range slices.Sorted(maps.Keys(c.Properties)) {
			list = append(list, map[string]any{"name": key, "value": c.Properties[key]})
		}
		m["properties"] = list
	}
	if len(c.Files) > 0 {
		var list []any
		for i := range c.Files {
			f, err := c.Files[i].json(refs)
			if err != nil {
				return nil, err
			}
			list = append(list, f)
		}
		m["components"] = list
	}
	if c.Type == TypeData {
		m["data"] = []any{map[string]any{"type": "dataset", "name": c.Name}}
	}
	if c.Model != nil {
		card, err := c.Model.json(ref)
		if err != nil {
			return nil, err
		}
		m["modelCard"] = card
	}
	return m, nil
}

var approaches = strings.Fields("supervised unsupervised reinforcement-learning semi-supervised self-supervised")

func (c *ModelCard) json(ref string) (map[string]any, error) {
	if c.Approach != "" && !slices.Contains(approaches, c.Approach) {
		return nil, fmt.Errorf("%w: the approach of %s is %q: want one of %v", ErrBOM, ref, c.Approach, approaches)
	}
	card, params := map[string]any{}, map[string]any{}
	for key, v := range map[string]string{"task": c.Task, "modelArchitecture": c.Architecture} {
		if v != "" {
			params[key] = v
		}
	}
	if c.Approach != "" {
		params["approach"] = map[string]any{"type": c.Approach}
	}
	if len(c.Datasets) > 0 {
		var list []any
		for _, d := range c.Datasets {
			list = append(list, map[string]any{"ref": d})
		}
		params["datasets"] = list
	}
	if len(params) > 0 {
		card["modelParameters"] = params
	}
	if len(c.Metrics) > 0 {
		var list []any
		for _, m := range c.Metrics {
			one := map[string]any{"type": m.Name, "value": fmt.Sprintf("%g", m.Value),
				"confidenceInterval": map[string]any{"lowerBound": fmt.Sprintf("%g", m.Low), "upperBound": fmt.Sprintf("%g", m.High)}}
			if m.Slice != "" {
				one["slice"] = m.Slice
			}
			list = append(list, one)
		}
		card["quantitativeAnalysis"] = map[string]any{"performanceMetrics": list}
	}
	if len(c.UseCases)+len(c.Limitations) > 0 {
		about := map[string]any{}
		if len(c.UseCases) > 0 {
			about["useCases"] = c.UseCases
		}
		if len(c.Limitations) > 0 {
			about["technicalLimitations"] = c.Limitations
		}
		card["considerations"] = about
	}
	return card, nil
}
