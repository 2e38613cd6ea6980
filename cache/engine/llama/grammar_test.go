package llama

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/require"
)

// randomSchema returns a schema of every keyword that is enforced.
func randomSchema(rng *rand.Rand, depth int) map[string]any {
	kind := rng.IntN(11)
	if depth <= 0 {
		kind = rng.IntN(7)
	}
	switch kind {
	case 0:
		s := map[string]any{"type": "string"}
		if rng.IntN(2) == 0 {
			s["minLength"] = rng.IntN(6)
			s["maxLength"] = s["minLength"].(int) + rng.IntN(8)
		}
		return s
	case 1:
		lo := rng.IntN(4000) - 2000
		return map[string]any{"type": "integer", "minimum": lo, "maximum": lo + rng.IntN(1+rng.IntN(3000))}
	case 2:
		return map[string]any{"type": "number"}
	case 3:
		return map[string]any{"type": []any{"boolean", "null"}}
	case 4:
		return map[string]any{"enum": []any{"a", "é\"x", 12, nil, map[string]any{"k": []any{1}}, true}}
	case 5:
		return map[string]any{"const": fmt.Sprint("value ", rng.IntN(100))}
	case 6:
		return map[string]any{"type": "integer", "exclusiveMinimum": rng.IntN(20), "description": `odd "text" {[`}
	case 7, 8:
		props := map[string]any{}
		var required []any
		for i := range rng.IntN(5) {
			name := fmt.Sprintf("p%d\"ü", i)
			props[name] = randomSchema(rng, depth-1)
			if rng.IntN(2) == 0 {
				required = append(required, name)
			}
		}
		s := map[string]any{"type": "object", "properties": props, "additionalProperties": false}
		if required != nil {
			s["required"] = required
		}
		return s
	case 9:
		s := map[string]any{"type": "array", "items": randomSchema(rng, depth-1)}
		if rng.IntN(2) == 0 {
			s["minItems"] = rng.IntN(3)
			s["maxItems"] = s["minItems"].(int) + rng.IntN(3)
		}
		return s
	}
	return map[string]any{"anyOf": []any{randomSchema(rng, depth-1), randomSchema(rng, depth-1)}}
}

// A random model can't write anything else than JSON of the schema, however it is cut.
func TestConstrainedDecodingIsValid(t *testing.T) {
	f := speaking(t)
	n, err := Load(f, &LoadOptions{Threads: 1})
	require.NoError(t, err)
	tok, err := ReadTokenizer(f)
	require.NoError(t, err)
	lex, err := NewLexicon(tok)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(11, 12))
	schemas := 1000
	if testing.Short() {
		schemas = 100
	}
	for i := range schemas {
		schema, err := json.Marshal(randomSchema(rng, 3))
		require.NoError(t, err)
		g, err := NewGrammar(schema)
		require.NoError(t, err, "%s", schema)
		m, err := NewMatcher(g, lex)
		require.NoError(t, err)
		s, err := NewSampler(&SamplerOptions{Temperature: []float64{0, .7, 3}[i%3], Rand: rng})
		require.NoError(t, err)
		var out []int32
		most := max(m.Shortest(), 1) + rng.IntN(60)
		for token, err := range n.Generate(t.Context(), n.NewCache(), tokensOf(rng, 3, tok.Size()), &GenerateOptions{Sampler: s, Mask: m, MaxTokens: most}) {
			require.NoError(t, err)
			out = append(out, token)
		}
		text := tok.Decode(out)
		require.LessOrEqual(t, len(out), most)
		require.True(t, json.Valid([]byte(text)), "%s does not fulfill %s", text, schema)
		require.True(t, utf8.ValidString(text))
		var parsed jsonschema.Schema
		require.NoError(t, json.Unmarshal(schema, &parsed))
		resolved, err := parsed.Resolve(nil)
		require.NoError(t, err)
		var v any
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		require.NoError(t, resolved.Validate(v), "%s does not fulfill %s", text, schema)
	}
}

func accepts(t *testing.T, schema, text string) bool {
	t.Helper()
	g, err := NewGrammar([]byte(schema))
	require.NoError(t, err, schema)
	s := g.begin().steps(text)
	return s.complete()
}

func TestGrammarAccepts(t *testing.T) {
	for _, row := range []struct {
		schema, text string
		want         bool
	}{
		{`{"type":"object","required":["id"]}`, `{"id":7}`, true},
		{`{"type":"object","required":["id"]}`, `{}`, false},
		{`{"type":"object"}`, `{"a": [1, {"b":null}]}`, true},
		{`{"type":"object","additionalProperties":{"type":"integer"}}`, `{"x":1,"y":2}`, true},
		{`{"type":"object","additionalProperties":{"type":"integer"}}`, `{"x":"1"}`, false},
		{`{"properties":{"a":{"type":"string"},"b":{"type":"null"}}}`, `{"b":null}`, true},
		{`{"properties":{"a":{"type":"string"},"b":{"type":"null"}}}`, `{"a":"x","b":null}`, true},
		{`{"properties":{"a":{"type":"string"},"b":{"type":"null"}}}`, `{"a":"x",}`, false},
		{`{"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["next"]}}}`, `{"next":{"next":{"next":null}}}`, true},
		{`{"type":"integer","minimum":10,"maximum":20}`, `15`, true},
		{`{"type":"integer","minimum":10,"maximum":20}`, `21`, false},
		{`{"type":"integer","minimum":10,"maximum":20}`, `1`, false},
		{`{"type":"integer","maximum":-5}`, `-5`, true},
		{`{"type":"integer","maximum":-5}`, `-4`, false},
		{`{"type":"integer","maximum":-5}`, `4`, false},
		{`{"type":"integer"}`, `-0`, false},
		{`{"type":"integer"}`, `007`, false},
		{`{"type":"number"}`, `-0.5e+10`, true},
		{`{"type":"number"}`, `.5`, false},
		{`{"type":"string"}`, "\"\x80\"", false},
		{`{"type":"string"}`, "\"a\nb\"", false},
		{`{"type":"string"}`, `"\"\\é🙂"`, true},
		{`{"type":"string","maxLength":2}`, `"é🙂"`, true},
		{`{"type":"string","maxLength":2}`, `"abc"`, false},
		{`{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false}`, `["a", 1]`, true},
		{`true`, `[[[]]]`, true},
		{`{"type":["string","null"]}`, `null`, true},
		{`{"type":"string","enum":["a",1]}`, `1`, false},
	} {
		require.Equal(t, row.want, accepts(t, row.schema, row.text), "%s of %s", row.text, row.schema)
	}
}

func TestSchemasThatCannotBeEnforced(t *testing.T) {
	for schema, names := range map[string]string{
		`{"type":"string","pattern":"^a$"}`:                    "pattern",
		`{"type":"string","pattern":"^[0-9]+$","maxLength":2}`: "pattern",
		`{"type":"number","minimum":1}`:                        "minimum",
		`{"type":"integer","multipleOf":3}`:                    "multipleOf",
		`{"type":"array","uniqueItems":true}`:                  "uniqueItems",
		`{"type":"array","contains":{"type":"null"}}`:          "contains",
		`{"type":"object","minProperties":1}`:                  "minProperties",
		`{"type":"object","maxProperties":1}`:                  "maxProperties",
		`{"type":"object","patternProperties":{}}`:             "patternProperties",
		`{"type":"object","propertyNames":{}}`:                 "propertyNames",
		`{"type":"object","dependentRequired":{}}`:             "dependentRequired",
		`{"not":{"type":"null"}}`:                              "not",
		`{"allOf":[{}]}`:                                       "allOf",
		`{"if":{},"then":{}}`:                                  "if",
		`{"anyOf":[{"type":"null"}],"type":"string"}`:          "type",
		`{"oneOf":[{"type":"integer"},{"type":"number"}]}`:     "both hold",
		`{"$ref":"#"}`: "finite",
		`{"anyOf":[{"$ref":"#"},{"type":"null"}]}`:                           "itself",
		`{"$ref":"http://x/y"}`:                                              "document",
		`{"$ref":"#/nowhere"}`:                                               "nowhere",
		`{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}`: "finite",
		`{"type":"integer","minimum":5,"maximum":4}`:                         "integer",
		`{"type":"integer","minimum":1.5}`:                                   "whole",
		`{"type":"string","minLength":5,"maxLength":4}`:                      "text",
		`{"enum":[]}`:                  "value",
		`{"type":"string","enum":[1]}`: "value",
		`false`:                        "nothing",
		`{"type":"frob"}`:              "frob",
		`{"type":7}`:                   "type",
		`[`:                            "",
		`{} {}`:                        "after",
		`{"a":1,"a":2}`:                "twice",
		`5`:                            "schema",
		strings.Repeat(`{"items":`, 200) + `{}` + strings.Repeat(`}`, 200): "deep",
	} {
		_, err := NewGrammar([]byte(schema))
		require.ErrorIs(t, err, ErrSchema, schema)
		require.ErrorContains(t, err, names, schema)
	}
}

// The mask says what the grammar says, token by token.
func TestMaskIsTheGrammar(t *testing.T) {
	tok, err := ReadTokenizer(speaking(t))
	require.NoError(t, err)
	lex, err := NewLexicon(tok)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 5))
	for range 40 {
		schema, err := json.Marshal(randomSchema(rng, 2))
		require.NoError(t, err)
		g, err := NewGrammar(schema)
		require.NoError(t, err)
		m, err := NewMatcher(g, lex)
		require.NoError(t, err)
		for range 40 {
			mask := m.mask()
			var allowed []int32
			for id := range int32(tok.Size()) {
				want := m.Allows(id, 1<<30)
				require.Equal(t, want, mask[id/64]>>(id%64)&1 == 1, "token %q of %s", tok.Bytes(id), schema)
				if want && !tok.IsEnd(id) {
					allowed = append(allowed, id)
				}
			}
			if len(allowed) == 0 || !m.Accept(allowed[rng.IntN(len(allowed))]) {
				break
			}
		}
	}
}

func FuzzNewGrammar(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":["string","null"],"maxLength":3},"b":{"$ref":"#/$defs/x"}},"required":["a"],"$defs":{"x":{"enum":[1,"y"]}}}`, []byte(`{"a":"xy","b":1}`))
	f.Add(`{"type":"array","items":{"anyOf":[{"type":"integer","minimum":-3},{"type":"number"}]},"minItems":2}`, []byte(`[1, -2.5e3]`))
	f.Fuzz(func(t *testing.T, schema string, text []byte) {
		g, err := NewGrammar([]byte(schema))
		if err != nil {
			if !errors.Is(err, ErrSchema) {
				t.Fatal(err)
			}
			return
		}
		s := g.begin()
		for _, b := range text {
			next := s.step(b)
			if len(next) == 0 {
				break
			}
			s = next
		}
		if end := s.ending(); !s.steps(end).complete() {
			t.Fatalf("%q does not complete the text", end)
		}
	})
}

// A schema of some hundred bytes with 2^40 readings costs no more than its bounds.
func TestHostileSchemasAreBounded(t *testing.T) {
	var defs []string
	for i := range 40 {
		defs = append(defs, fmt.Sprintf(`"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1, i+1))
	}
	g, err := NewGrammar([]byte(`{"$ref":"#/$defs/d0","$defs":{` + strings.Join(defs, ",") + `,"d40":{"type":"null"}}}`))
	require.NoError(t, err)
	require.True(t, g.begin().steps("null").complete())
	item := `{"type":"string","minLength":60}`
	for range 3 {
		item = `{"type":"array","minItems":1000,"items":` + item + `}`
	}
	_, err = NewGrammar([]byte(item))
	require.ErrorIs(t, err, ErrSchema)
}
