package token

import "fmt"

// An OverflowError is the error for a text that can't be made to fit into a context
// window. It is returned before a request costs money. Its code and status are those of
// OpenAI's API in the same case.
type OverflowError struct {
	What         string // what doesn't fit: "the last message", "the part \"rules\""
	NeedTokens   int    // how many tokens it has
	BudgetTokens int    // how many tokens there is room for
}

func (e *OverflowError) Error() string {
	return fmt.Sprintf("token: %s needs %d tokens, there is room for %d", e.What, e.NeedTokens, e.BudgetTokens)
}

// HTTPStatus returns 400.
func (e *OverflowError) HTTPStatus() int { return 400 }

// Code returns "context_length_exceeded".
func (e *OverflowError) Code() string { return "context_length_exceeded" }

// A Budget is a context window and what must stay free in it.
type Budget struct {
	WindowTokens   int // how many tokens the model reads and writes in one call
	OutputTokens   int // for the answer
	OverheadTokens int // for what goes with every request: tools, a schema, frames
	MarginTokens   int // for what is only estimated
}

// Input returns how many tokens are left for the prompt, or an [*OverflowError] if
// none are left.
func (b Budget) Input() (int, error) {
	reserved := max(b.OutputTokens, 0) + max(b.OverheadTokens, 0) + max(b.MarginTokens, 0)
	if reserved >= b.WindowTokens {
		return 0, &OverflowError{"what is reserved for the answer, the tools and the margin", reserved, b.WindowTokens}
	}
	return b.WindowTokens - reserved, nil
}
