package supply

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxText bounds the JSON and template files that are parsed.
const maxText = 16 << 20

// scanText scans a file of no binary format: code, JSON and templates that a loader
// uses, and protocol 0 of pickle, which is text.
func (s *Scanner) scanText(c *collector, name string, r *bufio.Reader) error {
	ending := strings.ToLower(path.Ext(name))
	switch ending {
	case ".py":
		c.add(SeverityNote, KindCode, -1, "Python code beside the weights: it runs if the loader is told to trust it (trust_remote_code)")
		return nil
	case ".json", ".jinja", ".jinja2", ".j2":
		data, err := io.ReadAll(io.LimitReader(r, maxText+1))
		if err != nil {
			return err
		}
		if len(data) > maxText {
			c.add(SeverityIncomplete, KindUnread, -1, "the file has more than 16 MiB")
			return nil
		}
		if ending == ".json" {
			c.json(data)
		} else {
			c.templates([]string{string(data)})
		}
		return nil
	}
	return s.scanUnknown(c, r)
}

// scanUnknown looks for pickles in bytes of no known format. Text and tensors are not
// pickles, so a finding counts only if a pickle ends with STOP, or if it imports what a
// known attack imports.
func (s *Scanner) scanUnknown(c *collector, r *bufio.Reader) error {
	quiet := newCollector(*c.budget)
	quiet.budget, quiet.member = c.budget, c.member
	m := newMachine(quiet, s.judge, r)
	v, err := m.run()
	whole := err == nil && v != nil
	if whole {
		err = m.all(false)
	}
	if err != nil && !errors.Is(err, errPickle) {
		return err
	}
	dangerous := slices.ContainsFunc(*quiet.findings, func(f Finding) bool { return f.Severity == SeverityDangerous })
	if whole && m.bad > 0 || dangerous {
		*c.findings = append(*c.findings, *quiet.findings...)
		for g := range quiet.globals {
			c.globals[g] = true
		}
	}
	return nil
}

// json looks for what a loader runs: Lambda layers and modules of a Keras model, code
// that a model's configuration names, chat templates.
func (c *collector) json(data []byte) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		c.add(SeverityIncomplete, KindUnread, -1, "the JSON can't be read")
		return
	}
	c.walk(v, 0)
}

// kerasModules are the modules that a Keras layer may come from.
var kerasModules = []string{"keras", "builtins", "tf_keras", "tensorflow.keras"}

func (c *collector) walk(v any, depth int) {
	if depth > 500 {
		c.add(SeverityIncomplete, KindUnread, -1, "the JSON is nested deeper than 500 levels")
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			c.walk(x, depth+1)
		}
	case map[string]any:
		class, _ := v["class_name"].(string)
		if class == "Lambda" || class == "__lambda__" {
			c.add(SeverityDangerous, KindCode, -1, "a Lambda layer has Python code that loading runs")
		}
		if module, ok := v["module"].(string); ok && class != "" && !kerasModule(module) {
			c.add(SeverityUnlisted, KindCode, -1, "a layer is imported from "+printable(module)+", which is not a module of Keras")
		}
		if auto, ok := v["auto_map"]; ok && auto != nil {
			c.add(SeverityNote, KindCode, -1, "auto_map names Python code: it runs if the loader is told to trust it (trust_remote_code)")
		}
		c.templates(textsIn(v["chat_template"]))
		for key, x := range v {
			if key != "chat_template" {
				c.walk(x, depth+1)
			}
		}
	}
}

// textsIn returns the texts of a chat template: one, or several with names.
func textsIn(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, textsIn(x)...)
		}
		return out
	case map[string]any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

func kerasModule(module string) bool {
	for _, m := range kerasModules {
		if module == m || strings.HasPrefix(module, m+".") {
			return true
		}
	}
	return module == ""
}

// internals are what a Jinja template needs to leave its sandbox, and what no chat
// template needs (CVE-2024-34359).
var internals = []string{"__class__", "__mro__", "__base__", "__bases__", "__subclasses__", "__globals__", "__builtins__", "__import__", "__init__", "__code__", "__dict__", "__getattribute__", "cycler.", "joiner.", "lipsum", "|attr(", "| attr(", "popen", "os.system", "subprocess"}

// templates looks for a chat template that reaches for Python's internals.
func (c *collector) templates(all []string) {
	for _, text := range all {
		if !utf8.ValidString(text) {
			c.add(SeverityUnlisted, KindTemplate, -1, "a chat template is not valid UTF-8")
		}
		flat := strings.ToLower(strings.ReplaceAll(text, `\x5f`, "_"))
		for _, word := range internals {
			if strings.Contains(flat, word) {
				c.add(SeverityDangerous, KindTemplate, -1, "a chat template uses "+word+", which reaches Python's internals")
				break
			}
		}
	}
}
