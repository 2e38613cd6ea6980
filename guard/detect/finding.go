package detect

// A Finding is one thing a detector found in a text.
type Finding struct {
	Kind    string   // what it is: EMAIL, AWS_ACCESS_KEY, override, tool_tainted, …
	Start   int      // byte offset in the text that was given
	End     int      // byte offset after it
	Score   float64  // how sure the detector is, 0 to 1; each detector documents what it means
	Reason  string   // why, in words that contain nothing of the text
	Threats []string // OWASP LLM and MITRE ATLAS ids, see guard/threat
}

// Value returns the part of text that the finding covers. text must be the
// text in which it was found; anything else gives "".
func (f Finding) Value(text string) string {
	if f.Start < 0 || f.End < f.Start || f.End > len(text) {
		return ""
	}
	return text[f.Start:f.End]
}
