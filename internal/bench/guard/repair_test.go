package guard_test

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/kaptinlin/jsonrepair"

	"github.com/prodailabs/prodai/guard/structured"
)

// A repairRow is a row of the golden file whose wanted value is one of those
// listed.
type repairRow struct {
	Kind, Text string
	Intended   json.RawMessage
	Any        []json.RawMessage `json:"intended_any"`
}

func repairRows(t testing.TB) []repairRow {
	f := must[*os.File](t)(os.Open("../../../guard/structured/testdata/json_repair.jsonl"))
	defer func() { _ = f.Close() }() // only read from
	var rows []repairRow
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var row repairRow
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		if row.Intended != nil || row.Any != nil { // edge and truncated rows want no value
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		t.Fatal("no rows")
	}
	return rows
}

func ours(text string) (string, error) {
	v, err := structured.Repair(text)
	return string(v.JSON), err
}

var repairers = []struct {
	name   string
	repair func(string) (string, error)
}{{"ours", ours}, {"kaptinlin/jsonrepair", jsonrepair.Repair}}

// right reports whether a repairer returns the value that was meant.
func right(row repairRow, repair func(string) (string, error)) bool {
	value := func(b []byte) (v any, ok bool) { return v, json.Unmarshal(b, &v) == nil }
	text, err := repair(row.Text)
	got, ok := value([]byte(text))
	if err != nil || !ok {
		return false
	}
	for _, w := range append(row.Any, row.Intended) {
		if want, ok := value(w); ok && reflect.DeepEqual(got, want) {
			return true
		}
	}
	return false
}

// BenchmarkRepair repairs one row of the golden file at a time, and says of how
// many the result is what was meant. The subtests of TestRepairKinds name them.
func BenchmarkRepair(b *testing.B) {
	rows := repairRows(b)
	for _, r := range repairers {
		b.Run(r.name, func(b *testing.B) {
			n := 0
			for _, row := range rows {
				if right(row, r.repair) {
					n++
				}
			}
			for i := 0; b.Loop(); i++ {
				_, _ = r.repair(rows[i%len(rows)].Text) // a row that can't be repaired takes time too
			}
			b.ReportMetric(100*float64(n)/float64(len(rows)), "%right")
		})
	}
}

// TestRepairKinds logs the rows repaired by kind, ours and the peer's, and fails
// where the peer repairs more.
func TestRepairKinds(t *testing.T) {
	count, of := map[string][2]int{}, map[string]int{}
	for _, row := range repairRows(t) {
		c := count[row.Kind]
		for i, r := range repairers {
			if right(row, r.repair) {
				c[i]++
			}
		}
		count[row.Kind] = c
		of[row.Kind]++
	}
	for kind, c := range count {
		t.Logf("%-22s of %2d: %2d, %s %2d", kind, of[kind], c[0], repairers[1].name, c[1])
		if c[0] < c[1] {
			t.Errorf("%s: the peer repairs more", kind)
		}
	}
}
