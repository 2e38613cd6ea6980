package retry

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Continuation is how a model is asked to go on with an answer that was cut.
type Continuation uint8

const (
	// ContinuationInstruct shows the model what it said and asks it, in a user
	// message, to repeat its last words and go on. Every chat model understands that.
	// The repetition proves that this is a continuation, and is cut off. Without it
	// the call fails as if it had not been resumed.
	ContinuationInstruct Continuation = iota
	// ContinuationPrefill ends the request with what was said, as the beginning of the
	// model's own message. The engine continues it at the exact token. These engines
	// do:
	//
	//	Anthropic         models before 4.6, without extended thinking
	//	vLLM              with Metadata, see below
	//	Gemini, Ollama    most models
	//
	// (Mistral and DeepSeek require a mark on the message, which a message of llms
	// can't have. Use ContinuationInstruct for them.)
	//
	// Where the engine doesn't continue, as OpenAI doesn't, the reader gets the
	// beginning of another answer after half of the first, because nothing proves the
	// continuation. Only a repetition of 32 bytes or more, or of all that was said, is
	// noticed and cut off.
	ContinuationPrefill
)

// A Resume lets the model continue the answers of interrupted streams: the model is
// asked again, with what it had said, and the caller's callbacks receive the rest.
// It is off unless [Options].Resume is set.
//
// An answer is resumed at most Max times. Each time counts in Options.MaxAttempts
// and in the Budget, and comes after the Backoff. Below another Model nothing is
// resumed. An answer isn't resumed if the caller's context is done or its own
// callback ended the stream. It isn't resumed either where that can't be done
// right:
//
//   - a tool call was in progress, or might have been: the call offers tools and
//     the model doesn't mark what its chunks are (see package openai, which does);
//   - the answer must be JSON or follow a grammar, since the engine would begin the
//     structure again;
//   - there are several choices;
//   - only reasoning had been received, which no engine continues;
//   - MaxTokens was reached, as far as Tokens can tell.
//
// In these cases, and when the continuation fails before its first chunk, the error
// is that of the interrupted stream, as without a Resume. Its cause has both
// errors.
//
// The caller sees one stream and one response. The first chunk of the continuation
// may be shortened, its reasoning is not passed on, and GenerationInfo adds up the
// token counts of all attempts. It has two more keys, [InfoResumed] and
// [InfoUnreported], since a stream that was cut seldom reports its usage.
//
// Some things can't be promised. The answer may differ from the one without a cut,
// and the second half may not follow the plan of the first. A stop word that lies
// across the seam is not seen. A blank, or a line that repeats the one before, may
// be doubled or lost there. MaxTokens may be missed by a few tokens. A person
// hardly notices such a seam. A program that compares bytes should not resume.
type Resume struct {
	// Max is how often an answer is resumed. Default: 1.
	Max int
	// Continuation is how the model is asked to go on. Default: ContinuationInstruct,
	// the zero value.
	Continuation Continuation
	// Metadata is added to the metadata of a continuation's request, for engines that
	// need a setting. Default: none. For vLLM, through package openai:
	//
	//	map[string]any{openai.MetadataExtra: map[string]any{
	//		"continue_final_message": true, "add_generation_prompt": false,
	//	}}
	Metadata map[string]any
	// Tokens counts the tokens of a text, so that MaxTokens bounds the whole answer.
	// The method Count of an Encoding of package chunk/token counts as the model does.
	// Default: an estimate, a token for each four bytes.
	Tokens func(text string) int
}

// The keys that a resumed answer has in the GenerationInfo of its choices.
const (
	InfoResumed    = "Resumed"            // int: how often it was resumed
	InfoUnreported = "UnreportedAttempts" // int: how many of the attempts before didn't report their usage
)

func (o *Resume) check() error {
	if o.Max < 0 || o.Continuation > ContinuationPrefill {
		return optionError("Resume.Max is %d and Continuation %d: want 0 (the default, 1) or more, and ContinuationInstruct or ContinuationPrefill", o.Max, o.Continuation)
	}
	return nil
}

// errNoSeam ends an attempt that was asked to continue and began another answer.
var errNoSeam = errors.New("retry: the model was asked to continue its answer and began another")

// resume reports whether an attempt that failed with e is followed by a
// continuation of what the caller has received, and waits for it.
func (m *Model) resume(r *run, s *stream, e *fault.Error) bool {
	o := m.p.o.Resume
	if o == nil || s.resumed >= max(o.Max, 1) {
		return false
	}
	if s.heard { // else a continuation failed at once, as any request may
		if !e.Retryable && e.Class != fault.ClassStreamInterrupted && e.Class != fault.ClassUnknown || !s.continuable(e.Partial) {
			return false
		}
	} else if !e.Retryable {
		return false
	}
	if s.o.MaxTokens > 0 && o.left(s) <= 0 || !r.retryAs(e, event.RetryResume) {
		return false
	}
	if s.heard {
		s.cut, s.before = e, append(s.before, e.Partial)
	}
	s.resumed++
	s.heard = false
	return true
}

// continuable reports whether the text of the attempts can be continued.
func (s *stream) continuable(partial *llms.ContentResponse) bool {
	switch {
	case strings.TrimSpace(shown(s.said)) == "", s.several, s.tools:
		return false
	case s.unmarked && len(s.o.Tools)+len(s.o.Functions) > 0:
		return false
	case s.o.N > 1, s.o.CandidateCount > 1:
		return false
	case s.o.JSONMode, s.o.ResponseMIMEType != "" && s.o.ResponseMIMEType != "text/plain", constrained(s.o.Metadata):
		return false
	}
	return partial == nil || !slices.ContainsFunc(partial.Choices, func(c *llms.ContentChoice) bool {
		return c != nil && (len(c.ToolCalls) > 0 || c.FuncCall != nil)
	})
}

// constrained reports whether a request's metadata ask for a structured answer, in
// any engine's words.
func constrained(metadata map[string]any) bool {
	for key, value := range metadata {
		if nested, ok := value.(map[string]any); ok && constrained(nested) {
			return true
		}
		for _, word := range []string{"response_format", "structured_outputs", "guided_", "grammar", "json_schema", "regex"} {
			if strings.Contains(key, word) {
				return true
			}
		}
	}
	return false
}

// left returns how many of MaxTokens are left for a continuation.
func (o *Resume) left(s *stream) int {
	count := o.Tokens
	if count == nil {
		count = func(text string) int { return (len(text) + 3) / 4 }
	}
	n := s.o.MaxTokens - count(s.said)
	if n > 0 && o.Continuation == ContinuationInstruct {
		n += count(anchorOf(shown(s.said)))
	}
	return n
}

// continuation returns the request that asks for the rest.
func (o *Resume) continuation(s *stream, messages []llms.MessageContent, options []llms.CallOption) ([]llms.MessageContent, []llms.CallOption) {
	said := shown(s.said)
	messages = slices.Clone(messages)
	begun := ""
	if n := len(messages) - 1; n >= 0 && messages[n].Role == llms.ChatMessageTypeAI && len(messages[n].Parts) == 1 {
		if t, ok := messages[n].Parts[0].(llms.TextContent); ok { // the caller began the answer, and it stays one message
			begun, messages = t.Text, messages[:n]
		}
	}
	messages = append(messages, llms.TextParts(llms.ChatMessageTypeAI, begun+said))
	if o.Continuation == ContinuationInstruct {
		messages = append(messages, llms.TextParts(llms.ChatMessageTypeHuman, instruction+anchorOf(said)))
	}
	options = slices.Clip(options)
	if s.o.MaxTokens > 0 {
		options = append(options, llms.WithMaxTokens(o.left(s)))
	}
	if len(o.Metadata) > 0 {
		options = append(options, llms.WithMetadata(merged(s.o.Metadata, o.Metadata)))
	}
	return messages, options
}

const instruction = "Your last message was cut off before its end. Continue it. Begin by repeating its last words, " +
	"exactly as they are below, and go straight on from there to the end of the message. " +
	"Write nothing else: no greeting, no quotation marks, no remark on the interruption. Its last words:\n\n"

// merged returns a with what b adds; maps in both are merged too.
func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	if out == nil {
		out = make(map[string]any, len(b))
	}
	for key, value := range b {
		inner, ok := value.(map[string]any)
		outer, both := out[key].(map[string]any)
		if ok && both {
			value = merged(outer, inner)
		}
		out[key] = value
	}
	return out
}

// interrupted is the error of a call that ends after the caller has received
// something: that of the stream that was cut, with all that was received.
func (s *stream) interrupted(e *fault.Error) *fault.Error {
	if s.resumed > 0 {
		c := *e
		if !s.heard && c.ContextErr == nil { // the continuation said nothing
			c = *s.cut
			c.Cause = joined(e, s.cut.Cause)
		}
		c.Partial = s.joinedResponse(nil)
		e = &c
	}
	return afterSpeech(e)
}

// whole returns the response of a call: resp, or what was said before together with
// resp.
func (s *stream) whole(resp *llms.ContentResponse) *llms.ContentResponse {
	if s == nil || s.resumed == 0 {
		return resp
	}
	return s.joinedResponse(resp)
}

// joinedResponse is last, a continuation's response, with the texts of all
// attempts, as the caller has received them.
func (s *stream) joinedResponse(last *llms.ContentResponse) *llms.ContentResponse {
	out := &llms.ContentResponse{}
	if last != nil {
		for _, c := range last.Choices {
			if c != nil {
				copied := *c
				out.Choices = append(out.Choices, &copied)
			}
		}
	}
	if len(out.Choices) == 0 {
		out.Choices = []*llms.ContentChoice{{}}
	}
	out.Choices[0].Content, out.Choices[0].ReasoningContent = s.said, s.reason
	for _, c := range out.Choices {
		c.GenerationInfo = s.info(c.GenerationInfo)
	}
	return out
}

// info adds the usage of the attempts before to that of the last.
func (s *stream) info(last map[string]any) map[string]any {
	out := maps.Clone(last)
	if out == nil {
		out = map[string]any{}
	}
	unreported := 0
	for _, before := range s.before {
		if _, err := usage.Of(before); err != nil || !addTokens(out, before) {
			unreported++
		}
	}
	out[InfoResumed], out[InfoUnreported] = s.resumed, unreported
	return out
}

// addTokens adds r's token counts to those of the same names, and reports
// whether there were any in a form that can be added.
func addTokens(info map[string]any, r *llms.ContentResponse) (added bool) {
	for _, c := range r.Choices {
		if c == nil || added {
			continue // every choice repeats the usage of the whole response
		}
		for key, value := range c.GenerationInfo {
			n := reflect.ValueOf(value)
			if !n.CanInt() || !strings.HasSuffix(strings.ToLower(key), "tokens") {
				continue
			}
			if have := reflect.ValueOf(info[key]); have.IsValid() && have.CanInt() {
				info[key] = int(have.Int() + n.Int())
			} else {
				info[key] = int(n.Int())
			}
			added = true
		}
	}
	return added
}
