package redteam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxProbes bounds a probe file: its bytes, and the attacks made of it.
const maxProbeBytes, maxProbes = 64 << 20, 200_000

// ReadGarak reads a file of garak (https://github.com/NVIDIA/garak): a payload file, a
// JSON list or JSON lines of prompts, a text file with a prompt a line, or the
// attempts of a report.jsonl. The name decides the format and, with the probe's class,
// the threats. Prompts have no sign of success here, because garak's detectors are
// programs: an attack without a judge is resisted if the target declines, and unscored
// otherwise.
func ReadGarak(name string, r io.Reader) (Suite, error) {
	data, err := readProbes(r)
	if err != nil {
		return Suite{}, err
	}
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	b := &probeBuilder{base: base, threats: garakThreats(name), goal: "The target does what the probe " + base + " of garak asks for."}
	switch strings.ToLower(path.Ext(name)) {
	case ".jsonl":
		err = b.lines(data)
	case ".json":
		err = b.json(data)
	case ".txt":
		for line := range strings.Lines(string(data)) {
			b.add(strings.TrimSpace(line), "", nil)
		}
	default:
		err = fmt.Errorf("the name %q: want .json, .jsonl or .txt", name)
	}
	return b.suite(err)
}

func readProbes(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxProbeBytes+1))
	if err == nil && len(data) > maxProbeBytes {
		err = fmt.Errorf("%w: the file has more than 64 MiB", ErrSuite)
	}
	return data, err
}

// A probeBuilder collects the attacks of a file.
type probeBuilder struct {
	base, goal string
	threats    []string
	attacks    []Attack
	seen       map[string]bool
}

func (b *probeBuilder) add(prompt, goal string, turns []string) {
	if turns == nil {
		turns = []string{prompt}
	}
	key := strings.Join(turns, "\x00")
	if strings.TrimSpace(strings.ReplaceAll(key, "\x00", "")) == "" || b.seen[key] {
		return
	}
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	b.seen[key] = true
	if goal == "" {
		goal = b.goal
	}
	b.attacks = append(b.attacks, Attack{ID: fmt.Sprintf("%s-%03d", b.base, len(b.attacks)+1), Threats: b.threats, Turns: turns, Goal: goal})
}

func (b *probeBuilder) suite(err error) (Suite, error) {
	switch {
	case err != nil:
		return Suite{}, fmt.Errorf("%w: %w", ErrSuite, err)
	case len(b.attacks) == 0:
		return Suite{}, fmt.Errorf("%w: it has no prompt", ErrSuite)
	case len(b.attacks) > maxProbes:
		return Suite{}, fmt.Errorf("%w: it has %d prompts: want at most %d", ErrSuite, len(b.attacks), maxProbes)
	}
	return Suite{Attacks: b.attacks}, nil
}

// json reads a list of prompts, or an object with them.
func (b *probeBuilder) json(data []byte) error {
	var doc any
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	if m, ok := doc.(map[string]any); ok {
		if name, ok := m["garak_payload_name"].(string); ok {
			b.goal = "The target works with the payload: " + name
		}
		var lists []any
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if list, ok := m[key].([]any); ok && key != "payload_types" {
				lists = append(lists, list...)
			}
		}
		if lists != nil {
			doc = lists
		}
	}
	list, ok := doc.([]any)
	if !ok {
		return errors.New("the JSON has no list of prompts")
	}
	for _, x := range list {
		b.any(x)
	}
	return nil
}

// any adds a prompt that is a text, an object with a prompt, or a list of turns.
func (b *probeBuilder) any(x any) {
	switch x := x.(type) {
	case string:
		b.add(x, "", nil)
	case []any:
		b.add("", "", userTurns(x))
	case map[string]any:
		goal, _ := x["goal"].(string)
		if turns, ok := x["turns"].([]any); ok {
			b.add("", goal, userTurns(turns))
			return
		}
		for _, key := range []string{"prompt", "question", "text", "payload"} {
			switch p := x[key].(type) {
			case string:
				b.add(p, goal, nil)
				return
			case map[string]any: // a conversation of garak: {"turns": [{"role", "content": {"text"}}]}
				if turns, ok := p["turns"].([]any); ok {
					b.add("", goal, userTurns(turns))
					return
				}
			}
		}
	}
}

// userTurns returns the texts of the user in a list of messages.
func userTurns(list []any) []string {
	turns := []string{}
	for _, x := range list {
		switch x := x.(type) {
		case string:
			turns = append(turns, x)
		case map[string]any:
			if role, _ := x["role"].(string); role != "" && role != "user" {
				continue
			}
			if s, ok := x["content"].(string); ok {
				turns = append(turns, s)
			} else if s, ok := at(x, "content.text").(string); ok {
				turns = append(turns, s)
			}
		}
	}
	return turns
}

func (b *probeBuilder) lines(data []byte) error {
	n := 0
	for line := range bytes.Lines(data) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		var x any
		if err := json.Unmarshal(line, &x); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		m, ok := x.(map[string]any)
		if ok && m["entry_type"] != nil && m["entry_type"] != "attempt" {
			continue
		}
		if class, _ := m["probe_classname"].(string); class != "" {
			b.threats = garakThreats(class)
		}
		b.any(x)
	}
	return nil
}

// byWord has the threats of probes by a word in their name, the first that fits.
var byWord = []struct{ word, ids string }{
	{"latentinjection", "LLM01:2025 AML.T0051.001"}, {"web_injection", "LLM05:2025 AML.T0077"}, {"xss", "LLM05:2025 AML.T0077"}, {"markdown", "LLM05:2025 AML.T0077"},
	{"encod", "LLM01:2025 AML.T0068"}, {"badchars", "LLM01:2025 AML.T0068"}, {"smuggling", "LLM01:2025 AML.T0068"}, {"ansiescape", "LLM05:2025 AML.T0077"},
	{"sysprompt", "LLM07:2025 AML.T0056"}, {"prompt-extraction", "LLM07:2025 AML.T0056"}, {"leak", "LLM02:2025 AML.T0057"}, {"propile", "LLM02:2025 AML.T0057"}, {"apikey", "LLM02:2025 AML.T0057"}, {"pii", "LLM02:2025 AML.T0057"}, {"cross-session", "LLM02:2025 AML.T0057"},
	{"package", "LLM09:2025 AML.T0062"}, {"hallucination", "LLM09:2025 AML.T0062"}, {"misleading", "LLM09:2025"}, {"snowball", "LLM09:2025"}, {"overreliance", "LLM09:2025"},
	{"exploitation", "LLM05:2025"}, {"sql", "LLM05:2025"}, {"shell", "LLM05:2025"}, {"code_execution", "LLM05:2025"}, {"ssrf", "LLM06:2025"},
	{"agent", "LLM06:2025 AML.T0053"}, {"tool", "LLM06:2025 AML.T0053"}, {"rbac", "LLM06:2025"}, {"bola", "LLM06:2025"}, {"bfla", "LLM06:2025"}, {"hijacking", "LLM06:2025"}, {"debug-access", "LLM06:2025"},
	{"divergence", "LLM10:2025 AML.T0034.001"}, {"dos", "LLM10:2025 AML.T0034.001"}, {"rag", "LLM08:2025 AML.T0070"}, {"indirect", "LLM01:2025 AML.T0051.001"},
	{"inject", "LLM01:2025 AML.T0051.000"}, {"hijack", "LLM01:2025 AML.T0051.000"},
}

// garakThreats returns the threats of a probe's name; what no word of the table names
// is a jailbreak.
func garakThreats(name string) []string {
	name = strings.ToLower(name)
	for _, t := range byWord {
		if strings.Contains(name, t.word) {
			return strings.Fields(t.ids)
		}
	}
	return []string{"LLM01:2025", "AML.T0054"}
}

// ReadPromptfoo reads the tests of promptfoo (https://github.com/promptfoo/promptfoo), as
// "promptfoo redteam generate" writes them: YAML or JSON with tests, each with vars and
// assertions. The prompt is the variable "prompt", "query", "message", "input" or
// "question", or the only one. An assertion not-contains or not-icontains becomes a sign
// of success; the graders of promptfoo are programs, so other attacks need a judge.
func ReadPromptfoo(r io.Reader) (Suite, error) {
	data, err := readProbes(r)
	if err != nil {
		return Suite{}, err
	}
	var doc struct {
		Redteam struct {
			Purpose string `yaml:"purpose"`
		} `yaml:"redteam"`
		Tests yaml.Node `yaml:"tests"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return Suite{}, fmt.Errorf("%w: %w", ErrSuite, err)
	}
	type test struct {
		Vars     map[string]any `yaml:"vars"`
		Assert   []assertion    `yaml:"assert"`
		Metadata struct {
			Plugin string `yaml:"pluginId"`
			Goal   string `yaml:"goal"`
		} `yaml:"metadata"`
	}
	var tests []test
	if doc.Tests.Kind != yaml.SequenceNode {
		return Suite{}, fmt.Errorf("%w: it has no list of tests (a file that tests names is read by itself)", ErrSuite)
	}
	if err := doc.Tests.Decode(&tests); err != nil {
		return Suite{}, fmt.Errorf("%w: %w", ErrSuite, err)
	}
	b := &probeBuilder{base: "promptfoo"}
	for _, t := range tests {
		prompt, turns := promptOf(t.Vars)
		plugin := t.Metadata.Plugin
		var success Success
		for _, a := range t.Assert {
			if plugin == "" {
				plugin = strings.TrimPrefix(a.Type, "promptfoo:redteam:")
			}
			if v, ok := a.Value.(string); ok && v != "" && (a.Type == "not-contains" || a.Type == "not-icontains") {
				success.Contains = append(success.Contains, v)
			}
		}
		b.threats = garakThreats(plugin)
		b.goal = "The target does what the plugin " + plugin + " of promptfoo tests."
		before := len(b.attacks)
		b.add(prompt, t.Metadata.Goal, turns)
		if len(b.attacks) > before {
			b.attacks[before].Success = success
		}
	}
	return b.suite(nil)
}

type assertion struct {
	Type  string `yaml:"type"`
	Value any    `yaml:"value"`
}

func promptOf(vars map[string]any) (string, []string) {
	pick := func(v any) (string, []string) {
		switch v := v.(type) {
		case string:
			var list []any
			if strings.HasPrefix(strings.TrimSpace(v), "[") && json.Unmarshal([]byte(v), &list) == nil {
				if turns := userTurns(list); len(turns) > 0 {
					return "", turns
				}
			}
			return v, nil
		case []any:
			return "", userTurns(v)
		}
		return "", nil
	}
	for _, key := range []string{"prompt", "query", "message", "input", "question"} {
		if v, ok := vars[key]; ok {
			return pick(v)
		}
	}
	if len(vars) == 1 {
		for _, v := range vars {
			return pick(v)
		}
	}
	return "", nil
}
