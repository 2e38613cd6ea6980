package jinja

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// integers turns the whole numbers of a JSON value into ints, as templates have them.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if v == float64(int(v)) {
			return int(v)
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	}
	return v
}

// The outputs are those of Python's jinja2 3.1.6 with Hugging Face's settings.
func TestTemplates(t *testing.T) {
	f, err := os.Open("testdata/templates.jsonl")
	require.NoError(t, err)
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var row struct {
			Template string
			Vars     map[string]any
			Out      *string
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &row))
		whole(row.Vars)
		tpl, err := Parse(row.Template)
		require.NoError(t, err, row.Template)
		out, err := tpl.Render(row.Vars)
		if row.Out == nil {
			require.ErrorIs(t, err, ErrRender)
			continue
		}
		require.NoError(t, err, row.Template)
		require.Equal(t, *row.Out, out, row.Template)
	}
	require.Greater(t, n, 40)
}

func TestUnknownConstructsAreNamed(t *testing.T) {
	for template, name := range map[string]string{
		"{{ x|frobnicate }}": "frobnicate",
		"{{ frob(1) }}":      "frob",
		"{{ x.frob() }}":     "frob",
		"{{ x is frobbed }}": "frobbed",
		"{% macro f() %}":    "macro",
		"{% include 'x' %}":  "include",
		"{{ x":               "}}",
		"{% if x %}":         "if",
		"{% endif %}":        "endif",
		"{{ 'a }}":           "}}",
		"{{ 1 + }}":          "value",
		"{{ " + strings.Repeat("(", 5000) + " }}":             "nested",
		strings.Repeat("{% if x %}", 5000):                    "nested",
		"{{ " + strings.Repeat("not ", 5000) + "x }}":         "nested",
		"{{ " + strings.Repeat("-", 5000) + "1 }}":            "nested",
		"{{ " + strings.Repeat("a if b else ", 5000) + "x }}": "nested",
		"{{ " + strings.Repeat("[", 5000) + " }}":             "nested",
	} {
		_, err := Parse(template)
		require.ErrorIs(t, err, ErrTemplate, "%.60s", template)
		require.ErrorContains(t, err, name)
	}
}

func TestRenderingIsBounded(t *testing.T) {
	for _, template := range []string{
		"{% for a in range(20000) %}{% for b in range(20000) %}x{% endfor %}{% endfor %}",
		"{{ range(1000000000)|length }}",
		"{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for a in range(20000) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for a in range(20) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{% for a in range(20000) %}{% set ns.s = ns.s.upper() %}{% endfor %}",
		"{% set ns = namespace(s=[1]) %}{% for a in range(20000) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
		"{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.replace('a', 'b' * 3) }}",
		"{{ x.y.z }}", "{{ 1 // 0 }}", "{{ 1 / 0 }}", "{{ 'a' - 1 }}", "{{ raise_exception('no') }}", "{% set a.b = 1 %}",
	} {
		tpl, err := Parse(template)
		require.NoError(t, err)
		_, err = tpl.Render(nil)
		require.ErrorIs(t, err, ErrRender, template)
	}
}

func TestDates(t *testing.T) {
	before := now
	defer func() { now = before }()
	now = func() time.Time { return time.Date(2026, 7, 3, 0, 0, 0, 0, time.UTC) }
	tpl, err := Parse("{{ strftime_now('%d %b %Y') }}")
	require.NoError(t, err)
	out, err := tpl.Render(nil)
	require.NoError(t, err)
	require.Equal(t, "03 Jul 2026", out)
}

func FuzzRender(f *testing.F) {
	f.Add("{% for m in messages %}{{ m['role']|trim }}{% endfor %}")
	f.Add("{%- set ns = namespace(a=1) -%}{{ ns.a + 1 if ns.a is defined else [1, 'b'][::-1] }}")
	f.Add("{{ {'a': [1]}|tojson }}{% for k, v in {'x': 1}.items() %}{{ k }}{% else %}{% endfor %}")
	f.Fuzz(func(t *testing.T, source string) {
		tpl, err := Parse(source)
		if err != nil {
			if !errors.Is(err, ErrTemplate) {
				t.Fatal(err)
			}
			return
		}
		if _, err := tpl.Render(map[string]any{"messages": []any{map[string]any{"role": "user", "content": "x"}}}); err != nil && !errors.Is(err, ErrRender) {
			t.Fatal(err)
		}
	})
}
