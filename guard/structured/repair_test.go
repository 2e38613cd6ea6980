package structured

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
)

var (
	vocabularyKeys   = []string{"name", "age", "city", "note", "score", "tags", "naïve", "数量"}
	vocabularyValues = []string{`"Ana"`, `"日本"`, `""`, `"line\nbreak"`, `"say \"hi\""`, `"a:b,c"`, `42`, `-1.5e3`, `true`, `null`, `[]`, `["a", "b"]`, `{"x": [1, {"y": 2}]}`}
)

// damages are what models do to JSON. Each returns the damaged text of a
// healthy one, or the text itself where it has nothing to damage.
var damages = map[string]func(r *rand.Rand, text string) string{
	"none":           func(_ *rand.Rand, s string) string { return s },
	"trailing comma": func(_ *rand.Rand, s string) string { return s[:len(s)-1] + ",}" },
	"python":         func(_ *rand.Rand, s string) string { return python.Replace(s) },
	"single quotes": func(_ *rand.Rand, s string) string {
		return strings.NewReplacer(`\"`, `\"`, `"`, "'").Replace(s)
	},
	"smart quotes": func(_ *rand.Rand, s string) string {
		return regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`).ReplaceAllString(s, "“$1”")
	},
	"same quotes":    func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `"`, "”") },
	"unquoted keys":  func(_ *rand.Rand, s string) string { return regexp.MustCompile(`"(\pL+)":`).ReplaceAllString(s, "$1:") },
	"missing colon":  func(r *rand.Rand, s string) string { return one(r, s, `": `, `" `) },
	"missing colons": func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `": `, `" `) },
	"missing comma":  func(r *rand.Rand, s string) string { return one(r, s, `, "`, ` "`) },
	"no commas":      func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `, "`, ` "`) },
	"start quote": func(r *rand.Rand, s string) string {
		return one(r, s, `: "A`, `: A`)
	},
	"start quote of CJK":   func(r *rand.Rand, s string) string { return one(r, s, `: "日`, `: 日`) },
	"start quote of a:b,c": func(r *rand.Rand, s string) string { return one(r, s, `: "a:`, `: a:`) },
	"start quote of say":   func(r *rand.Rand, s string) string { return one(r, s, `: "say`, `: say`) },
	"inner quotes":         func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `\"`, `"`) },
	"raw newline":          func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `\n`, "\n") },
	"missing brace":        func(_ *rand.Rand, s string) string { return s[:len(s)-1] },
	"extra brace":          func(_ *rand.Rand, s string) string { return s + "}" },
	"double brace":         func(_ *rand.Rand, s string) string { return "{" + s + "}" },
	"ellipsis":             func(_ *rand.Rand, s string) string { return s[:len(s)-1] + ", ...}" },
	"line comment":         func(_ *rand.Rand, s string) string { return "{ // it's a \"comment\"\n" + s[1:] },
	"block comment":        func(r *rand.Rand, s string) string { return one(r, s, ", ", " /* c, d */ , ") },
	"bom":                  func(_ *rand.Rand, s string) string { return "\ufeff" + s },
	"thinking":             func(_ *rand.Rand, s string) string { return "<think>{\"draft\": 1} [2]</think>\n\n" + s },
	"swallowed tag":        func(_ *rand.Rand, s string) string { return "Let me see, {\"draft\": 1} won't do.</think>" + s },
	"prose":                func(_ *rand.Rand, s string) string { return "Sure [as you {like}]! " + s + " Hope this helps." },
	"fence":                func(_ *rand.Rand, s string) string { return "See [1]:\n```json\n" + s + "\n```\nAnything else?" },
	"bare fence":           func(_ *rand.Rand, s string) string { return "```\n" + s + "\n```" },
	"open fence":           func(_ *rand.Rand, s string) string { return "```json\n" + s },
	"twice":                func(_ *rand.Rand, s string) string { return s + s },
	"lines":                func(_ *rand.Rand, s string) string { return s + "\n{\"other\": 1}" },
	"indented":             func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, ", ", ",\n\t") },
	"newline for comma":    func(r *rand.Rand, s string) string { return one(r, s, `, "`, "\n\"") },
	"full-width comma":     func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `, "`, `，"`) },
	"full-width semicolon": func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `, "`, `； "`) },
	"key without start": func(_ *rand.Rand, s string) string {
		return regexp.MustCompile(`, "(\pL+)": `).ReplaceAllString(s, `, $1": `)
	},
	"key without end": func(r *rand.Rand, s string) string {
		return regexp.MustCompile(`"(\pL+)": ("A|4|t|\[)`).ReplaceAllString(s, `"$1: $2`)
	},
	"string without end": func(_ *rand.Rand, s string) string {
		return regexp.MustCompile(`"(Ana|日本)", "`).ReplaceAllString(s, `"$1, "`)
	},
	"escaped": func(_ *rand.Rand, s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) },
	"harmony": func(_ *rand.Rand, s string) string {
		return "<|channel|>analysis<|message|>{\"draft\": 1}<|end|><|start|>assistant<|channel|>final<|message|>" + s + "<|return|>"
	},
	"nbsp": func(_ *rand.Rand, s string) string { return strings.ReplaceAll(s, `: `, ":\u00a0") },
}

var python = strings.NewReplacer("true", "True", "null", "None")

// one replaces one occurrence, chosen by r, outside of nested values.
func one(r *rand.Rand, s, from, to string) string {
	n := strings.Count(s, from)
	if n == 0 {
		return s
	}
	at := 0
	for range r.IntN(n) + 1 {
		at += strings.Index(s[at:], from) + 1
	}
	return s[:at-1] + to + s[at-1+len(from):]
}

func healthy(r *rand.Rand) string {
	keys := r.Perm(len(vocabularyKeys))[:1+r.IntN(5)]
	var members []string
	for _, k := range keys {
		members = append(members, fmt.Sprintf("%q: %s", vocabularyKeys[k], vocabularyValues[r.IntN(len(vocabularyValues))]))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func TestEveryDamageIsMended(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			for range 500 {
				text := healthy(r)
				damaged := damage(r, text)
				v, err := Repair(damaged)
				require.NoError(t, err, damaged)
				want := decode([]byte(text))
				if name == "same quotes" && strings.Contains(text, `\"`) {
					require.Contains(t, []any{want, decode([]byte(strings.ReplaceAll(text, `\"`, "”")))}, decode(v.JSON), damaged)
					continue
				}
				if !reflect.DeepEqual(want, decode(v.JSON)) {
					t.Fatalf("damaged: %s\ngot:     %s", damaged, v.JSON)
				}
				if damaged == text {
					require.False(t, v.Repaired, damaged)
				} else if name != "indented" && name != "twice" && name != "lines" && name != "extra brace" && name != "prose" && !strings.Contains(name, "fence") &&
					name != "thinking" && name != "swallowed tag" && name != "bom" && name != "harmony" {
					require.True(t, v.Repaired, damaged)
				}
			}
		})
	}
}

// Whatever the cut, the members that were complete are there, and at most one
// more.
func TestCutAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		text := healthy(r)
		whole := decode([]byte(text)).(map[string]any)
		for cut := 1; cut < len(text); cut++ {
			if !utf8.RuneStart(text[cut]) {
				continue
			}
			v, err := Repair(text[:cut])
			require.NoError(t, err, text[:cut])
			require.True(t, v.Cut)
			got := decode(v.JSON).(map[string]any)
			d := json.NewDecoder(strings.NewReader(text[:cut]))
			_, _ = d.Token()
			complete := 0
			for d.More() {
				k, err := d.Token()
				if err != nil {
					break
				}
				var value json.RawMessage
				if d.Decode(&value) != nil {
					break
				}
				if _, isNumber := decode(value).(fraction); isNumber && int(d.InputOffset()) == cut {
					break
				}
				complete++
				require.Equal(t, whole[k.(string)], got[k.(string)], text[:cut])
			}
			require.LessOrEqual(t, len(got), complete+1, text[:cut])
		}
	}
}

func TestRepairTells(t *testing.T) {
	for text, want := range map[string]string{
		`12345678901234567890123`:                      `12345678901234567890123`,
		`{"a": .5, "b": +1, "c": 0x10, "d": 1_000}`:    `{"a":0.5,"b":1,"c":16,"d":1000}`,
		`{"a": 2024-01-31, "v": 1.2.3, "z": 007}`:      `{"a":"2024-01-31","v":"1.2.3","z":"007"}`,
		`{"a": "he said "hi", then left", "b": 1}`:     `{"a":"he said \"hi\", then left","b":1}`,
		`["he said "hi", then left", "b"]`:             `["he said \"hi\", then left","b"]`,
		`{"a": yes, "b": no way}`:                      `{"a":"yes","b":"no way"}`,
		`"a": 1, "b": 2}`:                              `{"a":1,"b":2}`,
		`{"a": [1, 2, "b": 3}`:                         `{"a":[1,2],"b":3}`,
		`{"a": {"b": [1, 2}, "c": 3}`:                  `{"a":{"b":[1,2]},"c":3}`,
		`{"code": "` + "```json\\n{}\\n```" + `"}`:     `{"code":"` + "```json\\n{}\\n```" + `"}`,
		`{"tag": "</think>", "n": 1}`:                  `{"tag":"</think>","n":1}`,
		`[1 2 3]`:                                      `[1,2,3]`,
		`{"a":}`:                                       `{"a":null}`,
		`{"a" => 1}`:                                   `{"a":1}`,
		`{"url": "http://x/#a", # why` + "\n" + `1:2}`: `{"url":"http://x/#a","1":2}`,
		"```\n42\n```":                                 `42`,
		`true`:                                         `true`,
		`"{\"a\":1}"`:                                  `"{\"a\":1}"`,
		`{"a": "caf\xe9", "b": "\d+"}`:                 `{"a":"café","b":"\\d+"}`,
		`{"a": "x}`:                                    `{"a":"x}"}`,
	} {
		v, err := Repair(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, compact(v.JSON), text)
		}
	}
	for _, text := range []string{"", " ", "no json here", "}", "7 dwarfs lived here", "see [the docs] {below}"} {
		_, err := Repair(text)
		assert.ErrorIs(t, err, ErrNoJSON, text)
	}
	_, err := Repair(strings.Repeat("[", MaxDepth+1))
	assert.ErrorIs(t, err, ErrDepth)
}

// No repair changes a value. What can't be a number, an end or an escape stays text.
func TestValuesStay(t *testing.T) {
	for text, want := range map[string]string{
		// mangiucugna/json_repair#42, RyanMarcus/dirty-json#23.
		`{"price": 1,299.50, "qty": 2}`:                  `{"price":"1,299.50","qty":2}`,
		`{"a": 73,2,"b":94,9}`:                           `{"a":"73,2","b":"94,9"}`,
		`{"a": 12,50}`:                                   `{"a":"12,50"}`,
		`{"a": 12,50`:                                    `{"a":"12,50"}`,
		`{"a": 1.299,50 €, "b": 1}`:                      `{"a":"1.299,50 €","b":1}`,
		`{"a": $1,299.50 USD, "b": 1}`:                   `{"a":"$1,299.50 USD","b":1}`,
		`{"a": 1 299.50, "b": 2}`:                        `{"a":"1 299.50","b":2}`,
		`{"a": 1,000 to 2,000}`:                          `{"a":"1,000 to 2,000"}`,
		`{"a": [1,000, 12,50 EUR, 3]}`:                   `{"a":["1,000","12,50 EUR",3]}`,
		`{"a": [1,200, 3,4]}`:                            `{"a":[1,200,3,4]}`, // legal JSON
		`{"a": 12e, "b": 1-, "c": 7.}`:                   `{"a":"12e","b":"1-","c":7}`,
		`{"a": [1 000, 2], "b": [1 2]}`:                  `{"a":["1 000",2],"b":[1,2]}`,
		`{"a": 1,5 "b": 2, "c": (1,299.50)}`:             `{"a":"1,5","b":2,"c":"(1,299.50)"}`,
		`{"a": set([1,2]), "b": \d{3}, "c": f(x, y) z}`:  `{"a":"set([1,2])","b":"\\d{3}","c":"f(x, y) z"}`,
		`{"t": 3:30, "u": http://x.y/z, "p": +49 151 2}`: `{"t":"3:30","u":"http://x.y/z","p":"+49 151 2"}`,
		`{"a": 1, b}`:                                    `{"a":"1, b"}`,
		`{"a": 1, b: 2, c=3}`:                            `{"a":1,"b":2,"c":3}`,
		`{"n": Smith, John, "age": 3}`:                   `{"n":"Smith, John","age":3}`,
		`{"d": May 5, 2024, "n": 1}`:                     `{"d":"May 5, 2024","n":1}`,
		// json_repair#74, HKUDS/LightRAG#3238.
		`{"re": "\d+\.\d*"}`:                             `{"re":"\\d+\\.\\d*"}`,
		`{"re": "^\s+\w{3}\b$"}`:                         `{"re":"^\\s+\\w{3}\\b$"}`,
		`{"tex": "$\mathrm{F}_1$ and \alpha"}`:           `{"tex":"$\\mathrm{F}_1$ and \\alpha"}`,
		`{"tex": "\alpha \times \beta\n\frac{1}{2}\nu"}`: `{"tex":"\\alpha \\times \\beta\n\\frac{1}{2}\\nu"}`,
		`{"p": "C:\Users\name\temp", "q": "\users"}`:     `{"p":"C:\\Users\\name\\temp","q":"\\users"}`,
		`{"p": C:\Users\ana, "q": 1}`:                    `{"p":"C:\\Users\\ana","q":1}`,
		`{"t": "line\nregex \d", 'u': 'it\'s'}`:          `{"t":"line\nregex \\d","u":"it's"}`,
		// A surrogate alone is no text: a cut answer's beginning holds none.
		`{"a": "\ud83d`:             `{"a":""}`,
		`{"a": "\ud83d\ude0`:        `{"a":""}`,
		`{"a": "x\ud83d\ude00`:      `{"a":"x\ud83d\ude00"}`,
		`{"a": "x\\ud83d`:           `{"a":"x\\ud83d"}`,
		`{"a":"b"，"c":1；"d"：[1，2]}`: `{"a":"b","c":1,"d":[1,2]}`,
		`{"a": 你好，世界, "b": 1}`:      `{"a":"你好，世界","b":1}`,
		// Quotes that are missing, and those that are not.
		`{"x": 1, a": 2}`:                            `{"x":1,"a":2}`,
		`{a": 1}`:                                    `{"a":1}`,
		`{first name": "Ana", last": "B"}`:           `{"first name":"Ana","last":"B"}`,
		`{"a: 1, "b": 2}`:                            `{"a":1,"b":2}`,
		`{"a: "x", "b": 2}`:                          `{"a":"x","b":2}`,
		`{"a": "x, "b": 2}`:                          `{"a":"x","b":2}`,
		"{\"a\": \"x,\n \"b\": [1]}":                 `{"a":"x","b":[1]}`,
		`{"'v: 'x\"a:b\", \"n": 1}`:                  `{"'v: 'x\"a:b\", \"n":1}`, // legal JSON
		`{"12:30": 5, "a:b": "c"}`:                   `{"12:30":5,"a:b":"c"}`,
		`{"a": "he wrote, "b": 2, ok", "c": 1}`:      `{"a":"he wrote, \"b\": 2, ok","c":1}`,
		`{\"a\": \"b \\\"c\\\"\", \"n\": [1, null]}`: `{"a":"b \"c\"","n":[1,null]}`,
		"```json\n{\\\"a\\\": 1}\n```":               `{"a":1}`,
		// Tuples and sets, and what only looks like them.
		`{"a": (1, 2), "b": 3}`:                  `{"a":[1,2],"b":3}`,
		`{"a": (1,), "b": (), "c": {1, "x"}}`:    `{"a":[1],"b":[],"c":[1,"x"]}`,
		`[(1, 2), (None, (4, 5))]`:               `[[1,2],[null,[4,5]]]`,
		`{"a": (555) 123-4567, "b": (see 1, 2)}`: `{"a":"(555) 123-4567","b":"(see 1, 2)"}`,
		`{"a": (5), "b": ("c": 1)}`:              `{"a":"(5)","b":"(\"c\": 1)"}`,
		`{"a", "b": 1}`:                          `{"a":null,"b":1}`,
		// Channels: the final one is the answer.
		`<|channel|>analysis<|message|>{"a":0}<|end|><|start|>assistant<|channel|>final<|message|>{"a":1}`:   `{"a":1}`,
		`<|channel|>final <|constrain|>json<|message|>42<|return|>`:                                          `42`,
		`<|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"x":1}<|call|>`: `{"x":1}`,
		`{"a": "<|channel|>final<|message|>{}"}`:                                                             `{"a":"<|channel|>final<|message|>{}"}`,
		`[THINK]{"a":0}[/THINK]{"a":1}`:                                                                      `{"a":1}`,
	} {
		v, err := Repair(text)
		if assert.NoError(t, err, text) {
			assert.Equal(t, want, string(v.JSON), text)
		}
	}
	_, err := Repair(`<|channel|>analysis<|message|>{"a":0}`)
	assert.ErrorIs(t, err, ErrNoJSON, "a text that only thinks has no answer")
	for text, want := range map[string]string{`{"a": 1,`: `{}`, `{"a": 12,5`: `{}`, `{"a": 12 `: `{}`, `{"a": [1, 2,`: `{"a":[1,2]}`, `{"a": 1, "`: `{"a":1}`} {
		v, err := RepairPrefix(text)
		require.NoError(t, err)
		assert.Equal(t, want, string(v.JSON), "%s: digits may follow", text)
	}
}

func compact(b []byte) string {
	var v json.RawMessage
	if err := json.Unmarshal(b, &v); err != nil {
		return "illegal: " + string(b)
	}
	out := strings.Builder{}
	inString := false
	for i := 0; i < len(b); i++ {
		if b[i] == '"' && (i == 0 || b[i-1] != '\\') {
			inString = !inString
		}
		if inString || b[i] != ' ' {
			out.WriteByte(b[i])
		}
	}
	return out.String()
}

// slowUnits are repeated to make texts on which a parser that tries and backtracks is slow.
var slowUnits = []string{"[", "{", `{"a":`, `["a `, `"`, `" "`, `a,`, `[a `, `{a `, "/*", "//", "# ", "...", "```json", "```json [", "<think>", `\`, `{"a" `, `[1 `, "'\"", "“", `"a":"b" `, `{"a"b`, `{ //`, `"//`, `"#`, `"/**/`, `a:`, "(", "(1,", "a(b ", "a(b,", "x[", "([", "{1,", `{"a",`, `a": 1, `, "1,2", "1,a ", "，", `"x, "b": `, `"a: 1 `, `\"`, `{\"`, `\\"`, "<|channel|>", `\d\n`, `C:\`, `"a, "`, strings.Repeat("a,", 2000) + `"b`}

// slowStarts are put before them.
var slowStarts = []string{"", "{", "[", `{"a":"`, `["`}

func TestHostileTextsGiveJSON(t *testing.T) {
	values := 0
	for _, unit := range slowUnits {
		for _, before := range slowStarts {
			v, err := Repair(before + strings.Repeat(unit, 1<<12/len(unit)) + "\nx")
			if err == nil {
				values++
				require.True(t, json.Valid(v.JSON), "%q after %q", unit, before)
			} else {
				require.True(t, errors.Is(err, ErrNoJSON) || errors.Is(err, ErrDepth), "%q after %q: %v", unit, before, err)
			}
		}
	}
	require.Positive(t, values)
}

// TestGrowthOfRepair: the time is linear on texts that are made to be slow.
func TestGrowthOfRepair(t *testing.T) {
	for _, unit := range slowUnits {
		t.Run(unit, func(t *testing.T) {
			growth.Test(t, 1<<15, 3, func(n int) func() {
				var texts []string
				for _, before := range slowStarts {
					texts = append(texts, before+strings.Repeat(unit, max(1, n/len(unit)))+"\nx")
				}
				return func() {
					for _, text := range texts {
						_, _ = Repair(text)
					}
				}
			})
		})
	}
}

func FuzzRepair(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, damage := range damages {
		f.Add(damage(r, healthy(r)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Repair(text)
		if err != nil {
			return
		}
		if !json.Valid(v.JSON) {
			t.Fatalf("%q gives %q, which is not JSON", text, v.JSON)
		}
		if v.Start < 0 || v.End < v.Start || v.End > len(text) {
			t.Fatalf("%q: [%d, %d)", text, v.Start, v.End)
		}
		if json.Valid([]byte(text)) && utf8.ValidString(text) && !strings.Contains(text, `\u`) {
			var a, b any
			_ = json.Unmarshal([]byte(text), &a)
			_ = json.Unmarshal(v.JSON, &b)
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("legal JSON %q became %q", text, v.JSON)
			}
		}
		again, err := Repair(string(v.JSON))
		if err != nil || string(again.JSON) != string(v.JSON) {
			t.Fatalf("%q: repaired %q, and again %q %v", text, v.JSON, again.JSON, err)
		}
	})
}
