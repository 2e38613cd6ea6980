package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/prodailabs/prodai/eval/suite"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitFlaw `xml:"failure"`
	Error   *junitFlaw `xml:"error"`
	Skipped *junitFlaw `xml:"skipped"`
}

type junitFlaw struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// JUnit writes the report as JUnit XML, which most CI systems show as tests. The
// gates are one suite and the cases another. A case that the system failed on is an
// error. A case whose own value misses one of the thresholds in each (which may be
// nil) is a failure. A case that no metric applied to is skipped. Characters that
// XML doesn't allow become U+FFFD.
func JUnit(w io.Writer, r *suite.Report, each []suite.Threshold) error {
	if err := check(w, r); err != nil {
		return err
	}
	gates := junitSuite{Name: title(r) + ".gates", Time: "0"}
	if len(r.Gates) == 0 {
		gates.add(junitCase{Name: "judged", Class: gates.Name, Time: "0", Failure: &junitFlaw{Message: notJudged}})
	}
	for _, g := range r.Gates {
		c := junitCase{Name: g.Name, Class: gates.Name, Time: "0"}
		if !g.Passed {
			c.Failure = &junitFlaw{Message: g.Detail}
		}
		gates.add(c)
	}
	cases := junitSuite{Name: title(r) + ".cases", Time: seconds(r.Elapsed.Seconds())}
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		c, err := junitRecord(r, rec, each)
		if err != nil {
			return err
		}
		c.Class = cases.Name
		cases.add(c)
	}
	all := junitSuites{Name: title(r), Time: seconds(r.Elapsed.Seconds()), Suites: []junitSuite{gates, cases}}
	for _, s := range all.Suites {
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("report: JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitRecord(r *suite.Report, rec *suite.Record, each []suite.Threshold) (junitCase, error) {
	c := junitCase{Name: rec.Case.ID, Time: "0"}
	if rec.Error != "" {
		c.Error = &junitFlaw{Message: rec.Error, Text: rec.Stack}
		return c, nil
	}
	c.Time = seconds(rec.Output.Latency.Seconds())
	if !slices.ContainsFunc(rec.Results, func(res suite.Result) bool { return res.Skipped == "" }) {
		c.Skipped = &junitFlaw{Message: "no metric applies to the case"}
		return c, nil
	}
	for _, th := range each {
		if th.Slice != "" && !slices.Contains(rec.Slices, th.Slice) {
			continue
		}
		m, ok := r.Metric(th.Metric)
		if !ok {
			return c, fmt.Errorf("%w: the report has no metric %q", ErrOption, th.Metric)
		}
		for _, res := range rec.Results {
			if res.Metric != m.Signature.Name() || res.Skipped != "" || res.Failed == "" && th.Met(res.Value) {
				continue
			}
			message := res.Failed
			if message == "" {
				message = fmt.Sprintf("%s is %s; want %s", th.Metric, number(res.Value), th)
			}
			c.Failure = &junitFlaw{Message: message, Text: fmt.Sprintf("input: %s\noutput: %s\nreferences: %q", rec.Case.Input, rec.Output.Text, rec.Case.References)}
			return c, nil
		}
	}
	return c, nil
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// JSONL writes the report for other programs: a line {"report": ...} with the
// scores and gates, then a line {"record": ...} for every case, in the order
// in which they finished.
func JSONL(w io.Writer, r *suite.Report) error {
	if err := check(w, r); err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]any{"report": r}); err != nil {
		return fmt.Errorf("report: JSONL: %w", err)
	}
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		if err := enc.Encode(map[string]any{"record": rec}); err != nil {
			return fmt.Errorf("report: JSONL: %w", err)
		}
	}
	return nil
}
