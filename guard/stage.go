package guard

// A Stage is a place where the guard checks text. The zero value is not a stage.
type Stage uint8

// The stages, in the order in which a request meets them.
const (
	StageInput      Stage = iota + 1 // the caller's messages, passages aside
	StageDocument                    // passages registered with Untrusted, and retrieved documents
	StageToolResult                  // the results of tools
	StageToolCall                    // the arguments of the tool calls that the model makes
	StageOutput                      // the model's text and reasoning
	stages                           // one more than the last
)

// String returns the stage's name, as events carry it.
func (s Stage) String() string {
	switch s {
	case StageInput:
		return "input"
	case StageDocument:
		return "document"
	case StageToolResult:
		return "tool_result"
	case StageToolCall:
		return "tool_call"
	case StageOutput:
		return "output"
	}
	return "unknown"
}
