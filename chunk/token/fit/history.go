package fit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
)

// ErrOption is wrapped by the errors for an option that is out of range and for
// a required argument that is nil. The message names the field, its value and
// what is allowed.
var ErrOption = errors.New("fit: invalid option")

// HistoryOptions configure [History].
type HistoryOptions struct {
	// Tokens counts a text, for instance o200k.Encoding().Count. Default:
	// [token.Estimate], and the total is Estimated.
	Tokens func(text string) int

	// Rule is what the frame of a message costs. Default: nil, that of GPT-4o,
	// which other providers' frames resemble.
	Rule *token.ChatRule

	// KeepFirst keeps the oldest messages instead of the newest. Default: false.
	KeepFirst bool

	// DropSystem treats system messages like the others. Default: false, all of
	// them stay, since they are the rules.
	DropSystem bool

	// StartOn and EndOn are the roles with which the kept history may begin and
	// end, system messages left aside. Default: any.
	StartOn, EndOn []llms.ChatMessageType

	// MaxMessageTokens is the most tokens that the text of one message may have;
	// the middle of a longer one is cut out. System messages are never cut. One
	// page of a tool's output then can't push out the conversation. Default: 0, no
	// limit.
	MaxMessageTokens int
}

// Fitted is a history that fits.
type Fitted struct {
	Messages []llms.MessageContent
	Tokens   token.Count // of Messages, with the beginning of the answer
	Dropped  []Dropped   // in the order of the history
}

// A Dropped is a message that is not in the result, or not whole.
type Dropped struct {
	Index  int // in the history given
	Role   llms.ChatMessageType
	Tokens int // that were saved
	Cut    bool
	Why    string
}

// defaultRule is GPT-4o's.
var defaultRule = token.ChatRule{PerMessage: 3, PerName: 1, Reply: 3, Tools: 12, Function: 7, Properties: 3, Property: 3, EnumOpen: -3, EnumItem: 3, EstimatedMessages: true, EstimatedTools: true}

// History keeps as much of a chat as fits into budget tokens: the system
// messages, and the newest messages without a gap.
//
// A message that calls tools and the answers to its calls stay or go together. Half
// an exchange is dropped, since a provider refuses a request with one. That is a
// message with a call whose answer isn't among the messages right after it (it is
// dropped with the answers to its other calls), or an answer whose call isn't in
// the history.
//
// If the newest message (or call with its answers) doesn't fit, the error is a
// [*token.OverflowError]. Other errors are [ErrOption]. The messages given are not
// changed.
func History(messages []llms.MessageContent, budget int, o *HistoryOptions) (Fitted, error) {
	if o == nil {
		o = &HistoryOptions{}
	}
	if err := o.check(); err != nil {
		return Fitted{}, err
	}
	h := history{HistoryOptions: *o, in: messages, left: budget}
	if h.Tokens == nil {
		h.Tokens, h.total.Estimated = token.Estimate, true
	}
	if h.Rule == nil {
		h.Rule = &defaultRule
	}
	return h.fit()
}

func (o *HistoryOptions) check() error {
	if o.MaxMessageTokens < 0 {
		return fmt.Errorf("%w: HistoryOptions.MaxMessageTokens is %d: want 0 or more", ErrOption, o.MaxMessageTokens)
	}
	return nil
}

type history struct {
	HistoryOptions
	in    []llms.MessageContent
	cost  []int
	left  int // tokens of the budget
	total token.Count
	keep  []bool
	gone  []bool // dropped out of a unit
	out   Fitted
}

// A unit is a run of messages that stay or go together: in[lo:hi].
type unit struct{ lo, hi, cost int }

func (h *history) fit() (Fitted, error) {
	h.in = slices.Clone(h.in)
	h.keep, h.gone = make([]bool, len(h.in)), make([]bool, len(h.in))
	h.cost = make([]int, len(h.in))
	h.spend(token.Count{Tokens: h.Rule.Reply, Estimated: h.Rule.EstimatedMessages})
	for i := range h.in {
		if err := h.shorten(i); err != nil {
			return Fitted{}, err
		}
	}
	fixed := 0
	for i, m := range h.in {
		h.cost[i] = h.price(m).Tokens
		if m.Role == llms.ChatMessageTypeSystem && !h.DropSystem {
			h.keep[i] = true
			fixed += h.cost[i]
		}
	}
	if fixed > h.left {
		return Fitted{}, &token.OverflowError{What: "the system messages", NeedTokens: fixed, BudgetTokens: max(h.left, 0)}
	}
	h.left -= fixed
	if err := h.choose(h.ends(h.units())); err != nil {
		return Fitted{}, err
	}
	for i, m := range h.in {
		if h.keep[i] {
			h.out.Messages = append(h.out.Messages, m)
			h.spend(h.price(m))
		}
	}
	slices.SortStableFunc(h.out.Dropped, func(a, b Dropped) int { return a.Index - b.Index })
	h.out.Tokens = h.total
	return h.out, nil
}

func (h *history) spend(t token.Count) {
	h.total.Tokens += t.Tokens
	h.total.Estimated = h.total.Estimated || t.Estimated
	if len(h.out.Messages) == 0 {
		h.left -= t.Tokens // the reply's beginning; messages are accounted for in choose
	}
}

func (h *history) price(m llms.MessageContent) token.Count {
	msg := Message(m)
	return h.Rule.CountMessage(h.Tokens, &msg)
}

// shorten cuts the middle out of the texts of message i that are too long.
func (h *history) shorten(i int) error {
	m := h.in[i]
	if h.MaxMessageTokens == 0 || m.Role == llms.ChatMessageTypeSystem {
		return nil
	}
	parts := slices.Clone(m.Parts)
	saved := 0
	for k, part := range parts {
		text, ok := textOf(part)
		if !ok {
			continue
		}
		t, err := cutMiddle(h.Tokens, text, h.MaxMessageTokens)
		if err != nil {
			return err
		}
		if t.CutStart < t.CutEnd {
			saved += h.Tokens(text) - t.Tokens
			parts[k] = withText(part, t.Text)
		}
	}
	if saved > 0 {
		h.in[i].Parts = parts
		h.out.Dropped = append(h.out.Dropped, Dropped{i, m.Role, saved, true, fmt.Sprintf("the text has more than %d tokens", h.MaxMessageTokens)})
	}
	return nil
}

// cutMiddle cuts the middle out of a text that has more than most tokens.
func cutMiddle(count func(string) int, text string, most int) (token.Truncated, error) {
	return token.Truncate(text, most, &token.TruncateOptions{Tokens: count, Keep: token.KeepEnds, Marker: "\n[…]\n"})
}

func (h *history) drop(u unit, why string) {
	for i := u.lo; i < u.hi; i++ {
		if !h.keep[i] && !h.gone[i] {
			h.out.Dropped = append(h.out.Dropped, Dropped{i, h.in[i].Role, h.cost[i], false, why})
		}
	}
}

// units groups the messages that aren't always kept, and drops those that belong to
// half an exchange with a tool.
func (h *history) units() []unit {
	var units []unit
	for i := 0; i < len(h.in); {
		u := unit{i, i + 1, h.cost[i]}
		i = u.hi
		switch calls := callIDs(h.in[u.lo]); {
		case h.keep[u.lo]:
		case len(calls) > 0:
			open := h.exchange(&u, calls)
			if i = u.hi; open > 0 {
				h.drop(u, "not every call of a tool in it has its answer right after it")
				continue
			}
			units = append(units, u)
		case isAnswer(h.in[u.lo]):
			h.drop(u, strayAnswer)
		default:
			units = append(units, u)
		}
	}
	return units
}

const strayAnswer = "it answers a call of a tool that is not in the history"

// exchange adds the answers that follow a message with calls to its unit, and
// returns how many calls have none. An answer to another call is dropped.
func (h *history) exchange(u *unit, calls []string) (open int) {
	for ; u.hi < len(h.in) && !h.keep[u.hi] && isAnswer(h.in[u.hi]); u.hi++ {
		rest, ok := answered(calls, h.in[u.hi])
		if !ok {
			h.drop(unit{u.hi, u.hi + 1, 0}, strayAnswer)
			h.gone[u.hi] = true
			continue
		}
		calls = rest
		u.cost += h.cost[u.hi]
	}
	return len(calls)
}

// ends drops units at the end until the history ends with an allowed role.
func (h *history) ends(units []unit) []unit {
	for len(h.EndOn) > 0 && len(units) > 0 {
		last := units[len(units)-1]
		if slices.Contains(h.EndOn, h.in[last.hi-1].Role) {
			break
		}
		h.drop(last, fmt.Sprintf("the history must end on %v", h.EndOn))
		units = units[:len(units)-1]
	}
	return units
}

// choose keeps the units that fit, from one end.
func (h *history) choose(units []unit) error {
	if h.KeepFirst {
		units = h.starts(units)
		k := 0
		for k < len(units) && units[k].cost <= h.left {
			h.take(units[k])
			k++
		}
		for _, u := range units[k:] {
			h.drop(u, "it does not fit after the older messages")
		}
		return h.mustHave(units, k > 0, 0)
	}
	k := len(units)
	room := h.left
	for k > 0 && units[k-1].cost <= room {
		k--
		room -= units[k].cost
	}
	if err := h.mustHave(units, k < len(units), len(units)-1); err != nil {
		return err
	}
	for _, u := range units[:k] {
		h.drop(u, "it is older than what fits")
	}
	for _, u := range h.starts(units[k:]) {
		h.take(u)
	}
	return nil
}

// starts drops units at the beginning until the history begins with an allowed
// role.
func (h *history) starts(units []unit) []unit {
	for len(h.StartOn) > 0 && len(units) > 0 && !slices.Contains(h.StartOn, h.in[units[0].lo].Role) {
		h.drop(units[0], fmt.Sprintf("the history must start on %v", h.StartOn))
		units = units[1:]
	}
	return units
}

func (h *history) take(u unit) {
	for i := u.lo; i < u.hi; i++ {
		h.keep[i] = !h.gone[i]
	}
	h.left -= u.cost
}

// mustHave fails if there are units and the one that must stay was not taken.
func (h *history) mustHave(units []unit, taken bool, which int) error {
	if len(units) == 0 || taken {
		return nil
	}
	what := "the last message"
	if h.KeepFirst {
		what = "the first message"
	}
	if u := units[which]; u.hi > u.lo+1 {
		what += "'s tool calls and their answers"
	}
	return &token.OverflowError{What: what, NeedTokens: units[which].cost, BudgetTokens: max(h.left, 0)}
}
