package structured

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

type repairRow struct {
	ID, Kind, Text string
	Intended       json.RawMessage
	IntendedAny    []json.RawMessage          `json:"intended_any"`
	MustHave       map[string]json.RawMessage `json:"must_have"`
}

func TestGoldenRepair(t *testing.T) {
	golden.Rows(t, "guard", "json_repair.jsonl", func(row repairRow) error {
		v, err := Repair(row.Text)
		switch {
		case row.Kind == "edge":
			if err == nil && !json.Valid(v.JSON) {
				return fmt.Errorf("returned %s, which is not JSON", v.JSON)
			}
			return nil
		case row.Kind == "truncated" && len(row.MustHave) == 0:
			return nil
		case err != nil:
			return err
		case row.Kind == "truncated":
			got, ok := decode(v.JSON).(map[string]any)
			if !ok || len(got) > len(row.MustHave)+1 {
				return fmt.Errorf("got %s", v.JSON)
			}
			for k, want := range row.MustHave {
				if !reflect.DeepEqual(got[k], decode(want)) {
					return fmt.Errorf("%s: got %s", k, v.JSON)
				}
			}
			return nil
		}
		for _, want := range append(row.IntendedAny, row.Intended) {
			if reflect.DeepEqual(decode(v.JSON), decode(want)) {
				return nil
			}
		}
		return fmt.Errorf("got %s, want %s", v.JSON, row.Intended)
	})
}

// decode reads JSON with numbers as exact fractions.
func decode(b []byte) any {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	return exact(v)
}

// fraction keeps a number apart from a string.
type fraction struct{ s string }

func exact(v any) any {
	switch v := v.(type) {
	case float64:
		return fraction{new(big.Rat).SetFloat64(v).RatString()}
	case map[string]any:
		for k, e := range v {
			v[k] = exact(e)
		}
	case []any:
		for i, e := range v {
			v[i] = exact(e)
		}
	}
	return v
}
