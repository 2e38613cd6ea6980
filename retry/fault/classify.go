package fault

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Response is what is left of an HTTP response once it has been read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // of an error; of a success the whole, or as much as was kept
}

// Classify returns what failed by a response, or nil if it is a success. It knows
// the envelopes and words of OpenAI, Azure, Anthropic, Gemini, Bedrock, Mistral,
// Groq, Cohere, OpenRouter, vLLM and Ollama, and finds out by itself which provider
// sent the response. Waits until an instant in a header are measured from now.
//
// A word that the provider defines decides over the status: a 400 with
// ThrottlingException is a rate limit. A word that only reports that something
// failed ("api_error", "internal_error") doesn't decide: a 404 with it is a 404.
// Free text decides only where a provider gives no code, and never the part of it
// that repeats the user's input. Without a word the status decides. An error inside
// a success is that error; a success without a body, or with a cut one, is
// [ClassMalformed].
func Classify(r Response, now time.Time) *Error {
	success := r.Status >= 200 && r.Status < 300
	body := r.Body
	if success {
		if class, ok := blocked(body); ok {
			return r.error(class, problem{}, now)
		}
		body = errorEvent(body)
	}
	p := parseProblem(body, success)
	if success && !p.found {
		if wellFormed(r.Body) {
			return nil
		}
		return r.error(ClassMalformed, p, now)
	}
	if name := r.Header.Get("x-amzn-errortype"); name != "" {
		p.names = append(p.names, name)
		if p.typ == "" {
			p.typ = name
		}
	}
	status := r.Status
	if success {
		status = p.status
	}
	return r.error(classOfProblem(p, status), p, now)
}

func (r Response) error(class Class, p problem, now time.Time) *Error {
	e := New(class, nil)
	e.Status, e.ProviderCode, e.Type, e.Message = r.Status, p.code, p.typ, p.message
	e.RequestID = requestID(r.Header, p)
	e.Allowances = ParseAllowances(r.Header, now)
	if class == ClassRequestTooLarge {
		// Above a limit of tokens per minute another account or model may
		// take the request; above a limit of bytes none will.
		e.Fallback = overLimit(p.message)
		return r.override(e)
	}
	if e.Delay, e.HasDelay = RetryAfter(r.Header, now); !e.HasDelay {
		e.Delay, e.HasDelay = bodyDelay(p, r.Body)
	}
	return r.override(e)
}

// override applies x-should-retry, by which a server overrules the class.
func (r Response) override(e *Error) *Error {
	switch strings.ToLower(trim(r.Header.Get("x-should-retry"))) {
	case "true":
		e.Retryable = true
	case "false":
		e.Retryable = false
	}
	return e
}

func requestID(h http.Header, p problem) string {
	for _, name := range []string{"x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "x-goog-request-id", "cf-ray"} {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return p.requestID
}

// classOfProblem decides between the body and the status. The status is 0 if the
// error was inside a success.
func classOfProblem(p problem, status int) Class {
	message := unquote(p.message)
	class, named := classOfNames(p.names, status)
	if !named {
		class = classOfStatus(status)
		if status == 0 { // inside a success, with no word for what is wrong
			class = ClassServerError
			for _, name := range p.names {
				if genericName[normal(name)] {
					class = ClassInvalidRequest
				}
			}
		}
	}
	switch {
	case p.numbered:
		return p.class
	case p.moderated:
		return ClassContentFilter
	case status == 402, !p.coded && refusesCaller(class) && broke.MatchString(message):
		return ClassQuota
	case (class == ClassRateLimit || class == ClassRequestTooLarge) && overLimit(message):
		return ClassRequestTooLarge
	case class == ClassRateLimit && (p.perDay || freePerDay.MatchString(message)):
		return ClassQuotaDaily
	case class == ClassRateLimit && limitZero.MatchString(message):
		return ClassQuota
	case class == ClassRateLimit && !p.coded && monthly.MatchString(message):
		return ClassQuota
	case p.anthropic && (class == ClassInvalidRequest || class == ClassRateLimit || class == ClassPermission) && spent.MatchString(message):
		return ClassQuota
	case class == ClassInvalidRequest && !p.coded && tooLongPrompt.MatchString(message),
		class == ClassRequestTooLarge && !named && tooLongPrompt.MatchString(message):
		return ClassContextLength
	}
	return class
}

// classOfNames returns the class of the most specific word, and whether there is
// one that decides. A general word for a server's failure decides last, and not
// over a status that blames the request or the caller.
func classOfNames(names []string, status int) (class Class, named bool) {
	for _, name := range names {
		c, ok := classOf(name)
		switch {
		case !ok:
		case c != ClassServerError:
			return c, true
		case status < 400 || status >= 500 || classOfStatus(status) == ClassUnknown:
			class, named = c, true
		}
	}
	return class, named
}

// refusesCaller reports whether providers use the class also for an account without
// money.
func refusesCaller(c Class) bool {
	switch c {
	case ClassRateLimit, ClassPermission, ClassInvalidRequest, ClassAuth, ClassUnknown:
		return true
	}
	return false
}

// classOfStatus is what a status means by itself.
func classOfStatus(status int) Class {
	switch status {
	case 400, 414, 415, 422, 431:
		return ClassInvalidRequest
	case 401, 407:
		return ClassAuth
	case 402:
		return ClassQuota
	case 403, 451:
		return ClassPermission
	case 404, 405, 410:
		return ClassNotFound
	case 408, 504, 524:
		return ClassTimeout
	case 409, 425: // 425 Too Early (RFC 8470): the same request passes a moment later
		return ClassConflict
	case 413:
		return ClassRequestTooLarge
	case 429:
		return ClassRateLimit
	case 499:
		return ClassCanceled
	case 503, 529:
		return ClassOverloaded
	}
	if status >= 500 && status < 600 {
		return ClassServerError
	}
	return ClassUnknown
}

var (
	// "Limit 30000, Used 0, Requested 35000"
	requested = regexp.MustCompile(`(?i)\blimit:?\s*([\d,]+)\b.*?\brequested:?\s*([\d,]+)`)
	// Gemini: "… free_tier_requests, limit: 0, model: …"
	limitZero = regexp.MustCompile(`\blimit: 0(?:[^\d.]|\.?$|\.\D)`)
	// OpenRouter: "Rate limit exceeded: free-models-per-day"
	freePerDay = regexp.MustCompile(`\bfree-models-per-day\b`)
	// Cohere: "You are using a Trial key, which is limited to 1000 API calls / month"
	monthly = regexp.MustCompile(`(?i)\blimited to [\d,]+ api calls ?(?:/|per) ?month\b`)
	// Anthropic: "Your credit balance is too low …", "You have reached your specified API usage limits"
	spent = regexp.MustCompile(`(?i)\bcredit balance is too low\b|\breached your specified (?:\w+ )?(?:api )?usage limits?\b|\bspend(?:ing)? limit\b`)
	// Sentences that providers write instead of a code when the money is spent.
	broke = regexp.MustCompile(`(?i)` + strings.Join([]string{
		`\binsufficient (?:account )?(?:balance|funds?|credits?)\b`,                     // DeepSeek, Zhipu, MiniMax
		`\b(?:balance|credits?|funds) (?:is|are) (?:insufficient|exhausted|depleted)\b`, // SiliconFlow
		`\bno funds\b`, // Gemini
		`\b(?:prepa(?:id|yment) )?credits (?:are|have been) (?:depleted|exhausted|used up)\b`, // Gemini
		`\bused all available credits\b`,                                        // xAI
		`\b(?:reached|exceeded) (?:its|your|the) (?:monthly )?spending limit\b`, // xAI, Fireworks
		`\b(?:reaching|reached) the monthly spending limit\b`,
		`\bfailure to pay\b`,                                  // Fireworks
		`\baccount is in arrears\b`, `\boverdue[- ]payment\b`, // Alibaba
		`\bplease (?:recharge|top up)\b`, // Zhipu
		`余额不足|欠费`,
	}, "|"))

	tooLongPrompt = regexp.MustCompile(`(?i)` + strings.Join([]string{
		`\bprompt is too long\b`,                                              // Anthropic, Bedrock
		`\binput is too long\b`,                                               // Bedrock
		`\binput length and .{1,20} exceed context limit\b`,                   // Anthropic
		`\bmaximum context length (?:is|of) [\d,]+`,                           // OpenAI, vLLM, OpenRouter
		`\btoo large for model with [\d,]+ maximum context length`,            // Mistral
		`\binput token count(?: \([\d,]+\))? exceeds the maximum number of `,  // Gemini
		`\bprompt \((?:total )?length [\d,]+\) is (?:too long|longer than)\b`, // vLLM
		`\bexceeds? the available context size\b`,                             // llama.cpp
		`\btoo many (?:input )?tokens: `,                                      // Cohere
		`\btokens \+ .{1,20} must be <= [\d,]+`,                               // TGI
		`\bexpected maxlength: [\d,]+, actual: [\d,]+`,                        // Bedrock
	}, "|"))
)

// overLimit reports whether a message contains "Limit M, Requested N" with N > M.
// Such a request never fits, however long the wait is.
func overLimit(message string) bool {
	for _, m := range requested.FindAllStringSubmatch(message, -1) {
		limit, err1 := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
		want, err2 := strconv.ParseFloat(strings.ReplaceAll(m[2], ",", ""), 64)
		if err1 == nil && err2 == nil && want > limit {
			return true
		}
	}
	return false
}

// errorEvent returns the error object inside a stream's events, or the body
// itself if it is not a stream.
func errorEvent(body []byte) []byte {
	if !isEvents(body) {
		if line, rest, ok := bytes.Cut(body, []byte("\n")); ok && len(bytes.TrimSpace(rest)) > 0 && json.Valid(line) {
			return lastErrorLine(body) // newline-delimited JSON
		}
		return body
	}
	for line := range bytes.Lines(body) {
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if ok && mayFail(data) && parseProblem(data, true).found {
			return data
		}
	}
	return body
}

// mayFail reports whether a chunk may contain an error, without reading it.
func mayFail(chunk []byte) bool {
	return bytes.Contains(chunk, errorKey) || bytes.Contains(chunk, baseKey)
}

func lastErrorLine(body []byte) []byte {
	for line := range bytes.Lines(body) {
		if parseProblem(line, true).found {
			return line
		}
	}
	return body
}

// trimmed returns a body without a byte order mark and the white space around it.
func trimmed(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
}

func isEvents(body []byte) bool {
	body = trimmed(body)
	for _, field := range []string{"data:", "event:", "id:", "retry:", ":"} {
		if bytes.HasPrefix(body, []byte(field)) {
			return true
		}
	}
	return false
}

// wellFormed reports whether the body of a success is whole.
func wellFormed(body []byte) bool {
	body = trimmed(body)
	if isEvents(body) {
		return true // Transport finds out whether a stream has ended
	}
	if json.Valid(body) {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(body)) // newline-delimited JSON
	var v json.RawMessage
	n := 0
	for d.More() {
		if d.Decode(&v) != nil {
			return false
		}
		n++
	}
	return n > 0
}

// blocked recognizes Gemini's refusal, a success with no candidate or with one
// that stopped for a reason of safety and has no content; a success without
// any candidate and without a reason is [ClassMalformed].
func blocked(body []byte) (Class, bool) {
	if !bytes.Contains(body, []byte(`andidates"`)) && !bytes.Contains(body, []byte("blockReason")) {
		return 0, false
	}
	var g struct {
		Candidates *[]struct {
			FinishReason string `json:"finishReason"`
			Content      struct {
				Parts []json.RawMessage `json:"parts"`
			} `json:"content"`
		} `json:"candidates"`
		PromptFeedback struct {
			BlockReason string `json:"blockReason"`
		} `json:"promptFeedback"`
	}
	if unmarshal(body, &g) != nil {
		return 0, false
	}
	if g.PromptFeedback.BlockReason != "" {
		return ClassContentFilter, true
	}
	if g.Candidates == nil {
		return 0, false
	}
	for _, c := range *g.Candidates {
		if len(c.Content.Parts) > 0 {
			return 0, false
		}
		if StopReasonOf(c.FinishReason) == StopFiltered {
			return ClassContentFilter, true
		}
	}
	return ClassMalformed, len(*g.Candidates) == 0
}
