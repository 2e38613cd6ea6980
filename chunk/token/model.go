package token

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ModelsAsOf is the month in which the table of models was made. Limits change, so a
// table without a date becomes wrong and nothing shows it.
const ModelsAsOf = "2026-11"

//go:embed models.txt
var modelsText string

// An UnknownModelError is the error for a model that a table doesn't have. There is no
// default window, because a guess is either too small and wastes most of the real
// window, or too large and overflows it.
type UnknownModelError struct {
	Model string
	What  string // what was asked for: "encoding", "limits", ...
}

func (e *UnknownModelError) Error() string {
	return fmt.Sprintf("token: no %s known for the model %q (table of %s)", e.What, e.Model, ModelsAsOf)
}

// Limits are the limits of a model, in tokens.
type Limits struct {
	Model    string // the row of the table: the name itself or what it begins with
	Provider string // "openai", "anthropic", ...

	// MaxInputTokens is the longest prompt. In some models the answer takes a part of it.
	// The table doesn't show in which, so a careful program leaves room for the answer.
	MaxInputTokens int

	// MaxOutputTokens is the longest answer. It is 0 if the model gives none or the
	// table doesn't have the number.
	MaxOutputTokens int

	// Retired is the day on which the provider switches the model off. It is the zero
	// time if no day was announced.
	Retired time.Time
}

// LimitsOf returns the limits of a model. For an unknown model it returns an
// [*UnknownModelError].
//
// A name with a date or version ("gpt-4o-2024-11-20", "gpt-5-latest") has the limits of
// its model, unless the table has a row for it. A fine-tuned model
// ("ft:gpt-4o-2024-08-06:org::id") has the limits of the model it was made from.
//
// LimitsOf and the other tables of models ignore what gateways and clouds add to a
// name: providers and paths before it ("openai/gpt-4o", "models/gemini-2.5-pro",
// "anthropic:claude-opus-4-5", "us.anthropic.claude-opus-4-5-v1:0") and variants
// after it ("gpt-4o:free"). The customer chooses the name of an Azure deployment; it
// is found if it is the name of the model.
func LimitsOf(model string) (Limits, error) {
	name := bareModel(model)
	tuned := strings.HasPrefix(name, "ft:")
	if tuned {
		name, _, _ = strings.Cut(name[len("ft:"):], ":")
	}
	for {
		if tuned {
			if l, ok := limitsRow("ft:" + name); ok {
				return l, nil
			}
		}
		if l, ok := limitsRow(name); ok {
			return l, nil
		}
		short, ok := cutVersion(name)
		if !ok {
			return Limits{}, &UnknownModelError{model, "limits"}
		}
		name = short
	}
}

// bareModel returns a model's name without what gateways and clouds add to it.
func bareModel(model string) string {
	name := model[strings.LastIndexByte(model, '/')+1:]
	if i := strings.Index(model, "ft:"); i == 0 || i > 0 && strings.IndexByte("/:", model[i-1]) >= 0 {
		name = model[i:] // the customer chooses its last parts, which may have a slash
	}
	if provider, rest, ok := strings.Cut(name, ":"); ok && slices.Contains(providers, provider) {
		name = rest // LangChain's form
	}
	if region, rest, ok := strings.Cut(name, "."); ok && slices.Contains([]string{"us", "eu", "apac", "global", "us-gov", "jp", "au"}, region) {
		name = rest
	}
	if provider, rest, ok := strings.Cut(name, "."); ok && slices.Contains(providers, provider) {
		name = cutBedrockVersion(rest)
	}
	if base, _, ok := strings.Cut(name, ".ft-"); ok { // a fine-tuned model on Azure
		name = base
	}
	if i := strings.LastIndexByte(name, ':'); i > 0 && slices.Contains([]string{"free", "beta", "nitro", "floor", "online", "exacto"}, name[i+1:]) {
		name = name[:i]
	}
	name = strings.ToLower(name)
	if rest, ok := strings.CutPrefix(name, "gpt-35-turbo"); ok { // Azure's spelling
		name = "gpt-3.5-turbo" + rest
	}
	return name
}

// providers are names that come before the name of a model, with a colon or a full stop
// between them.
var providers = []string{"openai", "azure", "azure_openai", "anthropic", "google", "google_genai", "google_vertexai", "google_anthropic_vertex", "vertex_ai", "gemini",
	"mistral", "mistralai", "cohere", "deepseek", "groq", "xai", "bedrock", "bedrock_converse", "amazon", "meta", "fireworks", "together", "openrouter", "github"}

// cutBedrockVersion cuts a version such as "-v1:0" or "-1:0".
func cutBedrockVersion(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name
	}
	if version := name[i+1:]; strings.Trim(version, "v:0123456789") == "" && strings.ContainsAny(version, "v:") {
		return name[:i]
	}
	return name
}

func limitsRow(name string) (Limits, bool) {
	if name == "" || strings.ContainsAny(name, " \n#") {
		return Limits{}, false
	}
	i := strings.Index(modelsText, "\n"+name+" ")
	if i < 0 {
		return Limits{}, false
	}
	line, _, _ := strings.Cut(modelsText[i+1:], "\n")
	var l Limits
	var retired string
	if _, err := fmt.Sscan(line, &l.Model, &l.Provider, &l.MaxInputTokens, &l.MaxOutputTokens, &retired); err != nil {
		return Limits{}, false // impossible: a test reads every row
	}
	if day, err := time.Parse(time.DateOnly, retired); err == nil {
		l.Retired = day
	}
	return l, true
}

// cutVersion cuts off the last part of a name if it is a version and doesn't name
// another model: a number of two or more digits, as in dates, "latest" or
// "preview".
func cutVersion(name string) (string, bool) {
	i := strings.LastIndexAny(name, "-@:")
	if i <= 0 {
		return "", false
	}
	last := name[i+1:]
	digits := strings.Trim(last, "0123456789") == "" && len(last) >= 2
	return name[:i], digits || last == "latest" || last == "preview"
}

// encodingOf and encodingByPrefix are tiktoken's tables (0.14).
var encodingOf = map[string]string{
	"o1": "o200k_base", "o3": "o200k_base", "o4-mini": "o200k_base",
	"gpt-5": "o200k_base", "gpt-4.1": "o200k_base", "gpt-4o": "o200k_base",
	"gpt-4": "cl100k_base", "gpt-3.5-turbo": "cl100k_base", "gpt-3.5": "cl100k_base", "gpt-35-turbo": "cl100k_base",
	"davinci-002": "cl100k_base", "babbage-002": "cl100k_base",
	"text-embedding-ada-002": "cl100k_base", "text-embedding-3-small": "cl100k_base", "text-embedding-3-large": "cl100k_base",
	"text-davinci-003": "p50k_base", "text-davinci-002": "p50k_base",
	"text-davinci-001": "r50k_base", "text-curie-001": "r50k_base", "text-babbage-001": "r50k_base", "text-ada-001": "r50k_base",
	"davinci": "r50k_base", "curie": "r50k_base", "babbage": "r50k_base", "ada": "r50k_base",
	"code-davinci-002": "p50k_base", "code-davinci-001": "p50k_base", "code-cushman-002": "p50k_base", "code-cushman-001": "p50k_base",
	"davinci-codex": "p50k_base", "cushman-codex": "p50k_base",
	"text-davinci-edit-001": "p50k_edit", "code-davinci-edit-001": "p50k_edit",
	"text-similarity-davinci-001": "r50k_base", "text-similarity-curie-001": "r50k_base",
	"text-similarity-babbage-001": "r50k_base", "text-similarity-ada-001": "r50k_base",
	"text-search-davinci-doc-001": "r50k_base", "text-search-curie-doc-001": "r50k_base",
	"text-search-babbage-doc-001": "r50k_base", "text-search-ada-doc-001": "r50k_base",
	"code-search-babbage-code-001": "r50k_base", "code-search-ada-code-001": "r50k_base",
	"gpt2": "gpt2", "gpt-2": "gpt2",
}

var encodingByPrefix = []struct{ prefix, encoding string }{
	{"o1-", "o200k_base"}, {"o3-", "o200k_base"}, {"o4-mini-", "o200k_base"},
	{"gpt-5", "o200k_base"}, {"gpt-4.5-", "o200k_base"}, {"gpt-4.1-", "o200k_base"},
	{"chatgpt-4o-", "o200k_base"}, {"gpt-4o-", "o200k_base"},
	{"gpt-4-", "cl100k_base"}, {"gpt-3.5-turbo-", "cl100k_base"}, {"gpt-35-turbo-", "cl100k_base"},
	{"gpt-oss-", "o200k_harmony"},
}

// EncodingName returns the name of the encoding that a model of OpenAI uses, or an
// [*UnknownModelError]. The names are those of tiktoken's tables, with one
// exception: a fine-tuned model ("ft:gpt-4o-mini-2024-07-18:org::id") has the encoding
// of the model it was made from. Tiktoken takes ft:gpt-4.1 for a GPT-4.
func EncodingName(model string) (string, error) {
	name, tuned := strings.CutPrefix(bareModel(model), "ft:")
	if tuned {
		name, _, _ = strings.Cut(name, ":")
	}
	if encoding, ok := encodingOf[name]; ok {
		return encoding, nil
	}
	for _, p := range encodingByPrefix {
		if strings.HasPrefix(name, p.prefix) {
			return p.encoding, nil
		}
	}
	return "", &UnknownModelError{model, "encoding"}
}

// Models returns the names in the table of [LimitsOf].
func Models() []string {
	var names []string
	for line := range strings.Lines(modelsText) {
		if name, _, ok := strings.Cut(line, " "); ok && name != "#" {
			names = append(names, name)
		}
	}
	return names
}
