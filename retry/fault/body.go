package fault

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prodailabs/prodai/internal/apierror"
)

// A problem is what an error body contains, in any provider's envelope.
type problem struct {
	found     bool
	names     []string // codes, reasons, status words and types: the most specific first
	code, typ string   // as sent
	status    int      // a numeric code: 429, "502"
	message   string
	requestID string

	anthropic bool // the envelope is Anthropic's, whose limits of money have no code of their own
	coded     bool // the provider gave a code of its own, so its message decides nothing
	perDay    bool // Gemini: a quota that ends with the day
	moderated bool // OpenRouter: the input was flagged
	numbered  bool // the code is a number that the provider defines, and class what it means
	class     Class
	delay     time.Duration
	hasDelay  bool // google.rpc.RetryInfo
}

// An envelope covers the forms in use: {"error": {…}} (OpenAI, Azure,
// Anthropic, Gemini, OpenRouter), {"error": "…"} (Ollama), the fields at the top
// (vLLM, Mistral, Bedrock, Cohere, Azure's gateway, Alibaba), an error in a choice
// (OpenRouter) and the status in a success of MiniMax's.
type envelope struct {
	Error     json.RawMessage `json:"error"`
	RequestID string          `json:"request_id"`
	Choices   []struct {
		Error json.RawMessage `json:"error"`
	} `json:"choices"`
	BaseResp struct {
		StatusCode int    `json:"status_code"`
		StatusMsg  string `json:"status_msg"`
	} `json:"base_resp"`
	fields
}

type fields struct {
	Object     string          `json:"object"`
	Message    json.RawMessage `json:"message"`
	MessageUp  string          `json:"Message"`
	Detail     json.RawMessage `json:"detail"`
	Type       string          `json:"type"`
	AWSType    string          `json:"__type"`
	Code       json.RawMessage `json:"code"`
	Status     json.RawMessage `json:"status"`
	StatusCode int             `json:"statusCode"`
	Inner      struct {
		Code string `json:"code"`
	} `json:"innererror"`
	Details  json.RawMessage `json:"details"`
	Metadata struct {
		Reasons []string        `json:"reasons"`
		Flagged json.RawMessage `json:"flagged_input"`
	} `json:"metadata"`
}

// A detail is an element of google.rpc.Status's details, or Anthropic's one.
type detail struct {
	ErrorCode  string `json:"error_code"`
	Reason     string `json:"reason"`
	RetryDelay string `json:"retryDelay"`
	Violations []struct {
		QuotaID string `json:"quotaId"`
	} `json:"violations"`
}

// parseProblem reads an error body. found is false if the body has none of the
// known forms. With success set, the fields at the top count only if they are
// marked as an error, because a completion has a "type" and a "message" too.
func parseProblem(body []byte, success bool) problem {
	body = trimmed(body)
	if len(body) > 0 && body[0] == '[' { // Gemini wraps a stream's error in an array
		var list []json.RawMessage
		if json.Unmarshal(body, &list) == nil && len(list) > 0 {
			body = list[0]
		}
	}
	var e envelope
	if len(body) == 0 || body[0] != '{' || unmarshal(body, &e) != nil {
		return problem{}
	}
	p := problem{requestID: e.RequestID, anthropic: e.Type == "error"}
	top := e.fields
	for i := 0; apierror.Blank(e.Error) && i < len(e.Choices); i++ {
		e.Error = e.Choices[i].Error
	}
	if success && apierror.Blank(e.Error) {
		e.Error = nil
	}
	switch {
	case len(e.Error) > 0 && e.Error[0] == '{':
		var f fields
		if unmarshal(e.Error, &f) != nil {
			return problem{}
		}
		p.read(f)
		if class, ok := classOfNumber[p.code]; ok {
			p.numbered, p.class = true, class
		}
	case e.BaseResp.StatusCode != 0:
		p.found, p.message, p.code = true, e.BaseResp.StatusMsg, strconv.Itoa(e.BaseResp.StatusCode)
		p.class, p.numbered = classOfBase[e.BaseResp.StatusCode]
	case len(e.Error) > 0 && e.Error[0] == '"':
		p.found = true
		p.message = text(e.Error)
		if !success {
			top.Message = nil
			p.readNames(top)
		}
	case success && top.Object != "error" && top.Type != "error":
		return problem{}
	default:
		p.read(top)
	}
	return p
}

// unmarshal is json.Unmarshal for forms in which one odd field must not hide
// the others.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if _, odd := err.(*json.UnmarshalTypeError); odd { //nolint:errorlint // Unmarshal returns it bare
		return nil
	}
	return err
}

func (p *problem) read(f fields) {
	p.found = true
	p.message = text(f.Message)
	if p.message == "" {
		p.message = f.MessageUp
	}
	if p.message == "" {
		p.message = text(f.Detail)
	}
	p.readNames(f)
}

func (p *problem) readNames(f fields) {
	p.typ = f.Type
	if f.AWSType != "" {
		p.typ = f.AWSType
	}
	code := text(f.Code)
	if n := statusOf(code); n != 0 {
		p.status = n // a number repeats the status and defines nothing
		p.code = code
	} else if code != "" {
		p.code = code
		p.coded = digits(code) != len(code) // Mistral's "1300" is in no table
	}
	if p.status == 0 {
		p.status = statusOf(text(f.Status))
	}
	if p.status == 0 {
		p.status = f.StatusCode
	}
	details := parseDetails(f.Details)
	if p.coded {
		p.names = append(p.names, code)
	}
	for _, d := range details {
		if d.ErrorCode != "" {
			p.names = append(p.names, d.ErrorCode)
			if p.code == "" {
				p.code = d.ErrorCode
			}
		}
		if d.Reason != "" {
			p.names = append(p.names, d.Reason)
		}
		for _, v := range d.Violations {
			p.perDay = p.perDay || strings.Contains(v.QuotaID, "PerDay")
		}
		if delay, rest, ok := span(d.RetryDelay); ok && rest == "" {
			p.delay, p.hasDelay = delay, true
		}
	}
	p.names = append(p.names, f.Inner.Code, text(f.Status), p.typ)
	p.moderated = len(f.Metadata.Reasons) > 0 || len(f.Metadata.Flagged) > 0
}

// parseDetails takes both Google's list and Anthropic's object.
func parseDetails(raw json.RawMessage) []detail {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	var all []detail
	for _, item := range list {
		var d detail
		if len(item) > 0 && unmarshal(item, &d) == nil {
			all = append(all, d)
		}
	}
	return all
}

// text returns a JSON string or number as text, and "" for what is neither.
func text(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] == 'n' || raw[0] == '{' || raw[0] == '[' {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func statusOf(s string) int {
	if len(s) != 3 || digits(s) != 3 || s < "400" || s > "599" {
		return 0
	}
	return int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
}

// quoted matches the parts of a message that repeat the user's input.
var quoted = regexp.MustCompile("'[^']*'|\"[^\"]*\"|`[^`]*`|“[^”]*”")

// unquote blanks the quoted parts of a message, which must decide nothing. An
// apostrophe within a word ("model's") doesn't begin a quotation.
func unquote(message string) string {
	message = apostrophe.ReplaceAllString(message, "$1$2")
	return quoted.ReplaceAllString(message, "''")
}

var apostrophe = regexp.MustCompile(`(\pL)['’](\pL)`)

var tryAgain = regexp.MustCompile(`(?i)\b(?:try again|retry(?:ing)?|try your request again)\s+(?:in|after)\s+(?:about\s+)?`)

// bodyDelay returns the wait that an error body asks for: google.rpc.RetryInfo,
// or the words of OpenAI ("Please try again in 6m0s") and Azure ("Please retry
// after 6 seconds").
func bodyDelay(p problem, body []byte) (time.Duration, bool) {
	if p.hasDelay {
		return p.delay, true
	}
	message := p.message
	if !p.found {
		message = string(body)
	}
	message = unquote(message)
	for _, at := range tryAgain.FindAllStringIndex(message, -1) {
		if d, _, ok := span(message[at[1]:]); ok {
			return d, true
		}
	}
	return 0, false
}

// BodyDelay returns the wait that the body of an error response asks for, and
// whether it asks for one. Headers come first: see [RetryAfter].
func BodyDelay(body []byte) (time.Duration, bool) {
	return bodyDelay(parseProblem(body, false), body)
}
