package openaievals

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Spec is an entry of a registry that can be run: a class with arguments.
type Spec struct {
	Key     string // its name, NAME.SPLIT.VERSION as a rule
	Base    string // the name that leads to it
	Metrics []string
	Class   string
	Args    map[string]any
}

// A ModelGraded is an entry of registry/modelgraded: how a grader is asked.
type ModelGraded struct {
	Prompt        string
	EvalType      string
	Choices       []string
	ChoiceScores  map[string]float64
	InputOutputs  map[string]string // key of the sample's input -> name of the completion
	OutputInOrder []string          // the keys of InputOutputs, sorted
}

// A Registry is a folder in the framework's form: evals/*.yaml, modelgraded/*.yaml and
// data/.
type Registry struct {
	files       fs.FS
	evals       map[string]entry
	modelGraded map[string]ModelGraded
}

type entry struct {
	alias string
	spec  Spec
}

// ReadRegistry reads the YAML files of a registry. Samples are read when an eval is
// run.
func ReadRegistry(files fs.FS) (*Registry, error) {
	if files == nil {
		return nil, fmt.Errorf("%w: the files are nil", ErrOption)
	}
	r := &Registry{files: files, evals: map[string]entry{}, modelGraded: map[string]ModelGraded{}}
	err := r.folder("evals", func(name string, node *yaml.Node) error {
		e, err := readEntry(name, node)
		if _, twice := r.evals[name]; twice {
			return fmt.Errorf("%w: %q is there twice", ErrFormat, name)
		}
		r.evals[name] = e
		return err
	})
	if err == nil {
		err = r.folder("modelgraded", func(name string, node *yaml.Node) error {
			m, err := readModelGraded(node)
			if err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
			r.modelGraded[name] = m
			return nil
		})
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Registry) folder(dir string, add func(name string, node *yaml.Node) error) error {
	names, err := fs.Glob(r.files, dir+"/*.y*ml")
	if err != nil {
		return fmt.Errorf("openaievals: %w", err)
	}
	for _, file := range names {
		data, err := fs.ReadFile(r.files, file)
		if err != nil {
			return fmt.Errorf("openaievals: %w", err)
		}
		var doc map[string]yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrFormat, file, err)
		}
		for _, name := range slices.Sorted(maps.Keys(doc)) {
			node := doc[name]
			if err := add(name, &node); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return nil
}

func readEntry(name string, node *yaml.Node) (entry, error) {
	var alias string
	if node.Kind == yaml.ScalarNode && node.Decode(&alias) == nil && alias != "" {
		return entry{alias: alias}, nil
	}
	var form struct {
		ID      string
		Metrics []string
		Class   string
		Args    map[string]any
	}
	if err := node.Decode(&form); err != nil {
		return entry{}, fmt.Errorf("%w: %q: %w", ErrFormat, name, err)
	}
	if form.ID == "" && form.Class == "" {
		return entry{}, fmt.Errorf("%w: %q has neither id nor class", ErrFormat, name)
	}
	return entry{alias: form.ID, spec: Spec{Key: name, Metrics: form.Metrics, Class: form.Class, Args: form.Args}}, nil
}

func readModelGraded(node *yaml.Node) (ModelGraded, error) {
	var form struct {
		Prompt       string            `yaml:"prompt"`
		EvalType     string            `yaml:"eval_type"`
		Choices      yaml.Node         `yaml:"choice_strings"`
		Scores       yaml.Node         `yaml:"choice_scores"`
		InputOutputs map[string]string `yaml:"input_outputs"`
	}
	if err := node.Decode(&form); err != nil {
		return ModelGraded{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	m := ModelGraded{Prompt: form.Prompt, EvalType: form.EvalType, InputOutputs: form.InputOutputs, OutputInOrder: slices.Sorted(maps.Keys(form.InputOutputs))}
	if m.Prompt == "" || len(m.InputOutputs) == 0 {
		return m, fmt.Errorf("%w: it has no prompt or no input_outputs", ErrFormat)
	}
	var word string
	if form.Choices.Kind == yaml.ScalarNode && form.Choices.Decode(&word) == nil {
		if strings.HasPrefix(word, "from_n") {
			return m, fmt.Errorf("%w: choice_strings is %s: evals that compare n completions", ErrKind, word)
		}
		m.Choices = strings.Split(word, "") // as in Python, a text is a list of letters
	} else if err := form.Choices.Decode(&m.Choices); err != nil {
		return m, fmt.Errorf("%w: choice_strings: %w", ErrFormat, err)
	}
	for _, c := range m.Choices {
		if c == "" || strings.ContainsAny(c, punctuation) {
			return m, fmt.Errorf("%w: the choice %q is empty or has punctuation", ErrFormat, c)
		}
	}
	if len(m.Choices) == 0 {
		return m, fmt.Errorf("%w: it has no choice_strings", ErrFormat)
	}
	var err error
	m.ChoiceScores, err = choiceScores(&form.Scores, m.Choices)
	return m, err
}

func choiceScores(node *yaml.Node, choices []string) (map[string]float64, error) {
	if node.IsZero() || node.Tag == "!!null" {
		return nil, nil
	}
	out := map[string]float64{}
	var word string
	if node.Kind == yaml.ScalarNode && node.Decode(&word) == nil && word == "from_strings" {
		for _, c := range choices {
			var v float64
			if _, err := fmt.Sscanf(c, "%g", &v); err != nil {
				return nil, fmt.Errorf("%w: choice_scores is from_strings, and the choice %q is not a number", ErrFormat, c)
			}
			out[c] = v
		}
		return out, nil
	}
	if err := node.Decode(&out); err != nil {
		return nil, fmt.Errorf("%w: choice_scores: %w", ErrFormat, err)
	}
	for _, c := range choices {
		if _, ok := out[c]; !ok {
			return nil, fmt.Errorf("%w: the choice %q has no score", ErrFormat, c)
		}
	}
	return out, nil
}

// Names returns the names of all evals, sorted.
func (r *Registry) Names() []string { return slices.Sorted(maps.Keys(r.evals)) }

// Eval returns the eval of a name; names that lead to others are followed.
func (r *Registry) Eval(name string) (Spec, error) {
	seen := map[string]bool{}
	for at := name; ; {
		e, ok := r.evals[at]
		switch {
		case !ok:
			return Spec{}, fmt.Errorf("%w: the registry has no eval %q", ErrOption, at)
		case seen[at]:
			return Spec{}, fmt.Errorf("%w: the eval %q leads to itself", ErrFormat, at)
		case e.alias == "":
			s := e.spec
			s.Base = name
			s.Args = maps.Clone(s.Args)
			return s, nil
		}
		seen[at] = true
		at = e.alias
	}
}

// ModelGraded returns an entry of modelgraded.
func (r *Registry) ModelGraded(name string) (ModelGraded, error) {
	m, ok := r.modelGraded[name]
	if !ok {
		return m, fmt.Errorf("%w: the registry has no model-graded spec %q", ErrOption, name)
	}
	return m, nil
}

// Samples reads a samples file, by the framework's rule: a path under data/.
func (r *Registry) Samples(name string) ([]Sample, error) {
	p := path.Join("data", name)
	if !fs.ValidPath(p) || !strings.HasPrefix(p, "data/") {
		return nil, fmt.Errorf("%w: the samples file %q is outside of data/", ErrFormat, name)
	}
	f, err := r.files.Open(p)
	if errors.Is(err, fs.ErrNotExist) && fs.ValidPath(path.Clean(name)) {
		f, err = r.files.Open(path.Clean(name)) // as it is, for registries without data/
	}
	if err != nil {
		return nil, fmt.Errorf("openaievals: %w", err)
	}
	out, err := ReadSamples(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	return out, nil
}

// WriteEval writes the YAML of an eval: its name with an id, and the entry with class
// and arguments, for a file under evals/.
func WriteEval(w io.Writer, s Spec) error {
	if s.Base == "" || s.Key == "" || s.Base == s.Key || s.Class == "" {
		return fmt.Errorf("%w: the spec is %q, %q, class %q: want a base, another key and a class", ErrOption, s.Base, s.Key, s.Class)
	}
	metrics := s.Metrics
	if len(metrics) == 0 {
		metrics = []string{"accuracy"}
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(map[string]any{s.Base: map[string]any{"id": s.Key, "metrics": metrics}, s.Key: map[string]any{"class": s.Class, "args": s.Args}}); err != nil {
		return fmt.Errorf("openaievals: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
