package injection

import (
	"strings"

	"github.com/prodailabs/prodai/guard/internal/model"
	"github.com/prodailabs/prodai/guard/threat"
)

// A rule is a row of concepts in this order, each within a few words of the one
// before: "ignore … previous … instructions", in any language of the
// lexicon.
type rule struct {
	kind    string
	reason  string
	threats []string
	steps   []step
}

// A step is a concept, any of the names with a bar between, and how many words
// may be before it.
type step struct {
	concepts string
	gap      int
}

var rules = []rule{
	{"override", "asks to set aside earlier instructions", []string{threat.PromptInjection, threat.LLMInjection},
		[]step{{"IGNORE", 0}, {"PRIOR|ALL|YOU", 3}, {"RULES", 4}}},
	{"override", "asks to set aside what was said before", []string{threat.PromptInjection, threat.LLMInjection},
		[]step{{"IGNORE", 0}, {"ALL", 2}, {"PRIOR|TEXT", 3}}},
	{"extract", "asks for the system prompt", []string{threat.PromptLeakage, threat.SystemPromptExtraction},
		[]step{{"REVEAL", 0}, {"SYSTEM|YOU|PRIOR", 4}, {"RULES", 3}}},
	{"extract", "asks to repeat what is above", []string{threat.PromptLeakage, threat.SystemPromptExtraction},
		[]step{{"REVEAL", 0}, {"ALL", 1}, {"PRIOR", 4}}},
	{"unbind", "claims or demands that limits are off", []string{threat.PromptInjection, threat.Jailbreak},
		[]step{{"ROLE|YOU|MODEL", 0}, {"WITHOUT|FREE", 5}, {"LIMITS|RULES|FREE", 3}}},
	{"persona", "brings in a known jailbreak persona", []string{threat.PromptInjection, threat.Jailbreak},
		[]step{{"YOU|ROLE|NOW", 0}, {"DAN", 5}, {"MODE|WITHOUT|NOW|FREE|ALWAYS", 8}}},
	{"mode", "asks for a privileged mode", []string{threat.PromptInjection, threat.Jailbreak},
		[]step{{"YOU|NOW|ROLE", 0}, {"ADMIN|FREE", 5}, {"MODE", 2}}},
}

// markers are control tokens of chat templates. They don't belong into the
// text of a user or a document.
var markers = []string{"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>", "<|system|>", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "<start_of_turn>", "<end_of_turn>"}

// A hit is a rule found in a reading, by bytes.
type hit struct {
	kind, reason string
	threats      []string
	start, end   int
}

// compiled rules have masks for names.
type compiled struct {
	rule
	masks []uint64
}

func compile(e *model.Extractor) []compiled {
	out := make([]compiled, len(rules))
	for i, r := range rules {
		out[i].rule = r
		for _, s := range r.steps {
			var mask uint64
			for name := range strings.SplitSeq(s.concepts, "|") {
				mask |= e.Concept(name)
			}
			out[i].masks = append(out[i].masks, mask)
		}
	}
	return out
}

// match returns the first place where the rule holds.
func (c *compiled) match(tokens []model.Token) (hit, bool) {
	for i, t := range tokens {
		if t.Concepts&c.masks[0] == 0 {
			continue
		}
		at, found := i, true
		for k := 1; k < len(c.masks) && found; k++ {
			found = false
			for n := at + 1; n <= at+1+c.steps[k].gap && n < len(tokens); n++ {
				if tokens[n].Concepts&c.masks[k] != 0 {
					at, found = n, true
					break
				}
			}
		}
		if found {
			return hit{c.kind, c.reason, c.threats, t.Start, tokens[at].End}, true
		}
	}
	return hit{}, false
}

func findMarkers(text string) []hit {
	if !strings.ContainsAny(text, "<[") {
		return nil
	}
	lower := strings.ToLower(text)
	if len(lower) != len(text) { // the offsets would be wrong
		lower = text
	}
	var hits []hit
	for _, m := range markers {
		if i := strings.Index(lower, m); i >= 0 {
			hits = append(hits, hit{"marker", "contains a control token of a chat template", []string{threat.PromptInjection, threat.LLMInjection}, i, i + len(m)})
		}
	}
	return hits
}
