package sched

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// ReadAzure reads requests of the trace that Azure published with Splitwise: a CSV of the
// time, the tokens of the prompt, and the tokens of the answer. Times count from the first
// row. Answers of 0 tokens get 1. An error names the line.
func ReadAzure(r io.Reader) ([]Request, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = 3
	rows.ReuseRecord = true
	var out []Request
	var start time.Time
	for n := 0; ; n++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("sched: the trace: %w", err)
		}
		if n == 0 && row[0] == "TIMESTAMP" {
			continue
		}
		line, _ := rows.FieldPos(0)
		at, err := time.Parse("2006-01-02 15:04:05.9999999", row[0])
		prompt, err2 := strconv.Atoi(row[1])
		output, err3 := strconv.Atoi(row[2])
		if err := errors.Join(err, err2, err3); err != nil {
			return nil, fmt.Errorf("sched: line %d of the trace: %w", line, err)
		}
		if len(out) == 0 {
			start = at
		}
		q := Request{ID: strconv.Itoa(len(out)), Arrival: at.Sub(start), Prompt: max(prompt, 1), Output: max(output, 1)}
		if err := q.check(); err != nil || prompt < 0 || output < 0 {
			return nil, fmt.Errorf("sched: line %d of the trace: %w", line, errors.Join(err, errNegative))
		}
		out = append(out, q)
	}
}

var errNegative = errors.New("a number or a time is too small or too large")
