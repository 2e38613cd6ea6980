package structured

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

type order struct {
	City  string   `json:"city" jsonschema:"where it goes" schema:"minLength=1"`
	Count int      `json:"count" jsonschema:"how many" schema:"minimum=1; maximum=99"`
	Price float64  `json:"price"`
	Speed *string  `json:"speed,omitempty" schema:"enum=slow|fast"`
	Day   string   `json:"day" jsonschema:"the day, local" schema:"format=date"`
	Tags  []string `json:"tags" schema:"maxItems=3"`
}

func TestForMakesTheSchemaOfAType(t *testing.T) {
	s, err := For[order]()
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"object","additionalProperties":false,"required":["city","count","price","day","tags"],"properties":{
		"city":{"type":"string","description":"where it goes","minLength":1},
		"count":{"type":"integer","description":"how many","minimum":1,"maximum":99},
		"price":{"type":"number"},
		"speed":{"type":["null","string"],"enum":["slow","fast",null]},
		"day":{"type":"string","description":"the day, local","format":"date"},
		"tags":{"type":"array","items":{"type":"string"},"maxItems":3}}}`, string(s.JSON()))
	assert.Less(t, strings.Index(string(s.JSON()), `"city"`), strings.Index(string(s.JSON()), `"tags"`), "the fields' order is kept")

	type bad struct {
		A int `json:"a" schema:"min=1"`
	}
	_, err = For[bad]()
	assert.ErrorContains(t, err, `"min" is unknown`)
	_, err = For[chan int]()
	assert.Error(t, err)
	_, err = ParseSchema([]byte(`{"type": 7}`))
	assert.Error(t, err)
	_, err = ParseSchema([]byte(`{"$ref": "https://example.org/other.json"}`))
	assert.Error(t, err)
}

func TestStrictness(t *testing.T) {
	type strict struct {
		A string   `json:"a"`
		B []string `json:"b"`
	}
	for name, c := range map[string]struct {
		make   func() (*Schema, error)
		strict bool
	}{
		"all required": {For[strict], true},
		"optional":     {For[order], false},
		"array":        {For[[]strict], false},
		"open object":  {For[map[string]int], false},
	} {
		s, err := c.make()
		require.NoError(t, err, name)
		format := s.ResponseFormat()["json_schema"].(map[string]any)
		assert.Equal(t, c.strict, format["strict"], name)
		assert.Equal(t, c.strict, s.Tool("").Function.Strict, name)
		assert.Regexp(t, `^[\w-]{1,64}$`, format["name"], name)
	}
}

type pydanticRow struct {
	Schema, Instance json.RawMessage
	Valid            bool
}

// Schemas by pydantic, and its verdicts on instances.
func TestGoldenPydantic(t *testing.T) {
	golden.Rows(t, "guard", "pydantic.jsonl", func(row pydanticRow) error {
		s, err := ParseSchema(row.Schema)
		if err != nil {
			return err
		}
		err = s.Validate(row.Instance)
		if (err == nil) != row.Valid {
			return fmt.Errorf("%s: valid %v, we say %v", row.Instance, row.Valid, err)
		}
		var invalid *ValidationError
		if err != nil && (!errors.As(err, &invalid) || len(invalid.Problems) == 0 || strings.Contains(err.Error(), "breaks the schema")) {
			return fmt.Errorf("%s: no words for %v", row.Instance, err)
		}
		return nil
	})
}

var update = flag.Bool("update", false, "write testdata/go_instances.jsonl anew")

// The other direction: instances of a Go type's schema, which testdata/gen.py
// gives to pydantic's model of the same thing.
func TestInstancesForPydantic(t *testing.T) {
	s, err := For[order]()
	require.NoError(t, err)
	fast := "fast"
	good := order{City: "Oslo", Count: 1, Price: 2, Day: "2026-01-31", Tags: []string{}}
	var out strings.Builder
	for _, change := range []func(*order){
		func(*order) {}, func(o *order) { o.Speed = &fast }, func(o *order) { o.City = "" }, func(o *order) { o.Count = 0 }, func(o *order) { o.Count = 100 },
		func(o *order) { o.Day = "31.1.2026" }, func(o *order) { o.Tags = []string{"a", "b", "c"} }, func(o *order) { o.Tags = []string{"a", "b", "c", "d"} },
		func(o *order) { o.Tags = nil },
	} {
		o := good
		change(&o)
		b, err := json.Marshal(o)
		require.NoError(t, err)
		fmt.Fprintf(&out, `{"instance":%s,"valid":%v}`+"\n", b, s.Validate(b) == nil)
	}
	file := filepath.Join("testdata", "go_instances.jsonl")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), out.String(), "run this test with -update, then testdata/gen.py")
}

func TestProblemsAreWordsToActOn(t *testing.T) {
	s, err := For[order]()
	require.NoError(t, err)
	err = s.Validate([]byte(`{"City": "", "count": 200, "price": "9", "speed": "warp", "day": "tomorrow", "tags": ["a", 1], "a/b": 1}`))
	var invalid *ValidationError
	require.ErrorAs(t, err, &invalid)
	var lines []string
	for _, p := range invalid.Problems {
		lines = append(lines, p.String())
	}
	assert.ElementsMatch(t, []string{
		`/city is missing, but required`,
		`/City isn't a property of the schema: leave it out, or did you mean "city"?`,
		`/a~1b isn't a property of the schema: leave it out`,
		`/count is 200, but must be at most 99`,
		`/price is the string "9", but must be a number`,
		`/speed is "warp", but must be one of "slow", "fast", null`,
		`/day is "tomorrow", but must be in the format date, such as "2026-01-31"`,
		`/tags/1 is the number 1, but must be a string`,
	}, lines)
}
