package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrParse means that a reply has no verdict or score that can be read without a
// guess. It is wrapped with what was wrong.
var ErrParse = errors.New("judge: the reply can't be read")

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrParse, fmt.Sprintf(format, args...))
}

var thinking = regexp.MustCompile(`(?s)<think>.*?</think>`)

// objects returns the top-level JSON objects of a reply, after reasoning between
// <think> marks was removed. A fence or prose around an object is allowed. An
// object that is cut, invalid or has a key twice is an error, and no value is
// guessed from its text.
func objects(reply string) (found []map[string]json.RawMessage, rest string, err error) {
	rest = strings.TrimSpace(thinking.ReplaceAllString(reply, ""))
	for text := rest; ; {
		at := objectStart(text)
		if at < 0 {
			return found, rest, nil
		}
		raw, err := firstValue(text[at:])
		if err != nil {
			return nil, rest, err
		}
		object, err := uniqueKeys(raw)
		if err != nil {
			return nil, rest, err
		}
		found = append(found, object)
		text = text[at+len(raw):]
	}
}

// objectStart finds "{" before a quote or "}", so that a brace in prose isn't one.
func objectStart(text string) int {
	for at := 0; ; at++ {
		i := strings.IndexByte(text[at:], '{')
		if i < 0 {
			return -1
		}
		at += i
		next := strings.TrimLeft(text[at+1:], " \t\r\n")
		if next == "" || next[0] == '"' || next[0] == '}' {
			return at
		}
	}
}

func firstValue(text string) (json.RawMessage, error) {
	d := json.NewDecoder(strings.NewReader(text))
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return nil, unreadable("JSON: %v", err)
	}
	if !utf8.Valid(raw) {
		return nil, unreadable("JSON is not valid UTF-8")
	}
	return raw, nil
}

// uniqueKeys decodes an object and refuses a key that occurs twice, which
// encoding/json would resolve to the last one in silence.
func uniqueKeys(raw json.RawMessage) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, unreadable("JSON: %v", err)
	}
	object := map[string]json.RawMessage{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, unreadable("JSON: %v", err)
		}
		key, _ := token.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil && !errors.Is(err, io.EOF) {
			return nil, unreadable("JSON: %v", err)
		}
		if _, twice := object[key]; twice {
			return nil, unreadable("the key %.40q occurs twice", key)
		}
		object[key] = value
	}
	return object, nil
}

// number reads a JSON number or a number as text.
func number(raw json.RawMessage) (float64, error) {
	text := string(bytes.TrimSpace(raw))
	var quoted string
	if json.Unmarshal(raw, &quoted) == nil && text != "null" {
		text = strings.TrimSpace(quoted)
	}
	if !plainNumber.MatchString(text) {
		return 0, unreadable("want a number, got %.40q", text)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, unreadable("%.40q is not a finite number", text)
	}
	return v, nil
}

var (
	plainNumber  = regexp.MustCompile(`^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$`)
	bracketed    = regexp.MustCompile(`\[\[\s*([^\[\]]*?)\s*\]\]`)
	labelVerdict = regexp.MustCompile(`(?i)\b(?:verdict|winner)\b["'*]*\s*[:=]\s*["'*]*([a-z]+)`)
	labelRating  = regexp.MustCompile(`(?i)\b(?:score|rating)\b["'*]*\s*[:=]\s*["'*]*([+-]?\d+(?:\.\d+)?)`)
	ofMaximum    = regexp.MustCompile(`^([+-]?\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)$`)
)

// ParseVerdict reads the verdict of a pairwise judge: [VerdictA], [VerdictB] or
// [VerdictTie]. It reads, in this order, the key "verdict" of JSON objects, the
// last [[A]], [[B]] or [[C]] (a tie), the last "verdict: A" or "winner: A", and a
// last line that is only the verdict. Reasoning in <think> is not read. JSON that
// is cut or invalid, and two objects that differ, are an [ErrParse].
func ParseVerdict(reply string) (Verdict, error) {
	found, text, err := objects(reply)
	if err != nil {
		return 0, err
	}
	if len(found) > 0 {
		var verdict Verdict
		for _, object := range found {
			var word string
			if err := json.Unmarshal(object["verdict"], &word); err != nil {
				return 0, unreadable(`no text under the key "verdict"`)
			}
			v, err := verdictOf(word)
			if err != nil {
				return 0, err
			}
			if verdict != 0 && v != verdict {
				return 0, unreadable("two objects with different verdicts")
			}
			verdict = v
		}
		return verdict, nil
	}
	for _, form := range []*regexp.Regexp{bracketed, labelVerdict} {
		if all := form.FindAllStringSubmatch(text, -1); len(all) > 0 {
			return verdictOf(all[len(all)-1][1])
		}
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return verdictOf(strings.Trim(lines[len(lines)-1], " \t\r\"'`*.!"))
}

func verdictOf(word string) (Verdict, error) {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "a":
		return VerdictA, nil
	case "b":
		return VerdictB, nil
	case "c", "tie":
		return VerdictTie, nil
	}
	return 0, unreadable("%.40q is none of A, B, tie", word)
}

// A Range is a scale of grades, both ends included.
type Range struct{ Min, Max float64 }

func (r Range) valid() bool {
	return r.Min < r.Max && !math.IsInf(r.Min, 0) && !math.IsInf(r.Max, 0)
}

func (r Range) check(v float64) error {
	if v < r.Min || v > r.Max {
		return unreadable("%v is outside the scale of %v to %v", v, r.Min, r.Max)
	}
	return nil
}

// ParseRating reads the grade of a pointwise judge. It reads, in this order, the
// key "score" (else "rating") of JSON objects, [[7]], "score: 7", and a reply that
// is only "7" or "7/10", where 10 is the scale's maximum. A grade outside the
// scale and two different grades are an [ErrParse]: a grade is never clamped, and
// none is chosen among two.
func ParseRating(reply string, scale Range) (float64, error) {
	if !scale.valid() {
		return 0, fmt.Errorf("%w: the scale is %v to %v: want Min below Max, both finite", ErrOption, scale.Min, scale.Max)
	}
	found, text, err := objects(reply)
	if err != nil {
		return 0, err
	}
	var values []float64
	for _, object := range found {
		raw, ok := object["score"]
		if !ok {
			raw = object["rating"]
		}
		v, err := number(raw)
		if err != nil {
			return 0, err
		}
		values = append(values, v)
	}
	for _, form := range []*regexp.Regexp{bracketed, labelRating} {
		if len(values) > 0 {
			break
		}
		for _, m := range form.FindAllStringSubmatch(text, -1) {
			v, err := number(json.RawMessage(m[1]))
			if err != nil {
				return 0, err
			}
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		text = strings.TrimSpace(text)
		if m := ofMaximum.FindStringSubmatch(text); m != nil && m[2] == strconv.FormatFloat(scale.Max, 'f', -1, 64) {
			text = m[1]
		}
		v, err := number(json.RawMessage(text))
		if err != nil {
			return 0, err
		}
		values = append(values, v)
	}
	for _, v := range values[1:] {
		if v != values[0] {
			return 0, unreadable("two grades, %v and %v", values[0], v)
		}
	}
	return values[0], scale.check(values[0])
}
