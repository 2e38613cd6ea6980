package guard

// A Stage is a place where text crosses the guard.
type Stage uint8

// The stages, in the order in which a request meets them.
const (
	Input      Stage = iota // what the caller's messages say, passages aside
	Document                // passages registered with Untrusted, and retrieved documents
	ToolResult              // what tools answered
	ToolCall                // the arguments of the tool calls that the model makes
	Output                  // what the model says: text and reasoning
	stages
)

// String returns the stage's name, as events carry it.
func (s Stage) String() string {
	switch s {
	case Input:
		return "input"
	case Document:
		return "document"
	case ToolResult:
		return "tool_result"
	case ToolCall:
		return "tool_call"
	case Output:
		return "output"
	}
	return "unknown"
}
