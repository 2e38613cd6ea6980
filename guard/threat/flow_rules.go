package threat

// The kinds of STRIDE.
const (
	strideSpoofing   = "spoofing"
	strideTampering  = "tampering"
	strideRepudiate  = "repudiation"
	strideDisclosure = "information disclosure"
	strideDenial     = "denial of service"
	strideElevation  = "elevation of privilege"
)

// layerWords says what each layer does.
var layerWords = map[string]string{
	"guard":            "taint: what a document asks for is not the user's request",
	"guard/injection":  "finds texts that read like an attack",
	"guard/pii":        "redacts personal data",
	"guard/secret":     "redacts keys and passwords",
	"guard/sink":       "removes links, scripts, SQL and shell where the answer is used",
	"guard/flood":      "bounds what one text may cost",
	"guard/quarantine": "lets a model without tools read what is not trusted",
	"guard/structured": "takes only an answer of a given form",
	"guard/content":    "checks topics, toxicity and whether the passages say so",
	"guard/supply":     "scans and pins files",
	"retry/limit":      "bounds requests, tokens and money of a tenant",
	"retry/overload":   "refuses early when too much arrives",
	"retrieve":         "filters by tenant before the search",
	"retrieve/rag":     "checks citations against the passages",
	"trace":            "records calls without their content",
	"trace/cost":       "adds up what the calls of a tenant cost",
	"trace/monitor":    "scores a sample of the answers, and alerts when quality or another number changes",
	"eval/suite":       "compares quality before and after on a fixed set",
	"-access":          "access rights in code, for the user that the model works for",
	"-network":         "no network, no keys and a read-only disk where models are loaded",
	"-review":          "a person looks at what outsiders wrote, before it is stored",
}

// rules are what an analysis knows, in the order in which it reports.
var rules = []rule{
	{from: "user", to: "app model", outside: true, stride: strideTampering, threats: "LLM01:2025 AML.T0051.000 AML.T0054", how: "the user's text replaces the application's instructions", layers: "guard/injection guard"},
	{from: "user", to: "app model", outside: true, stride: strideDenial, threats: "LLM10:2025 AML.T0029 AML.T0034", how: "requests are long, many or expensive", layers: "retry/limit guard/flood retry/overload"},
	{from: "user", to: "app", outside: true, stride: strideSpoofing, threats: "LLM02:2025 AML.T0012", how: "one client poses as another, or sends an invented history", layers: "-access retry/limit"},
	{from: "app user", to: "model", stride: strideDisclosure, threats: "LLM07:2025 AML.T0056", how: "the model repeats its instructions, and what is secret in them", layers: "guard guard/content"},
	{from: "", to: "model", personal: true, stride: strideDisclosure, threats: "LLM02:2025 AML.T0057", how: "personal data and keys reach the model's provider, and may come out in an answer", layers: "guard/pii guard/secret"},
	{from: "secrets", to: "model documents log memory", stride: strideDisclosure, threats: "LLM02:2025 AML.T0055", how: "a key is in a text that a model or a person reads", layers: "guard/secret"},
	{from: "documents memory tool", to: "model app", outside: true, stride: strideElevation, threats: "LLM01:2025 AML.T0051.001", how: "a document or a result gives the model orders", layers: "guard guard/quarantine guard/injection"},
	{from: "", to: "documents", outside: true, stride: strideTampering, threats: "LLM08:2025 LLM04:2025 AML.T0070", how: "an outsider writes a document that the search will return", layers: "-review guard/injection retrieve/rag"},
	{from: "documents", to: "model app", personal: true, stride: strideDisclosure, threats: "LLM08:2025 LLM02:2025", how: "the search returns another tenant's document", layers: "retrieve -access"},
	{from: "documents", to: "model app", stride: strideRepudiate, threats: "LLM09:2025", how: "an answer states what no document says, and its source is unknown", layers: "retrieve/rag guard/content eval/suite"},
	{from: "model app", to: "memory", outside: true, stride: strideTampering, threats: "LLM04:2025 AML.T0080.000", how: "an order is remembered and works in later conversations", layers: "guard guard/injection -review"},
	{from: "model app", to: "tool", outside: true, acts: true, stride: strideElevation, threats: "LLM06:2025 AML.T0053", how: "a text that the model has read makes it act", layers: "guard -access guard/quarantine"},
	{from: "model app", to: "tool", outside: true, stride: strideDisclosure, threats: "LLM06:2025 AML.T0086", how: "data leaves in the arguments of a tool", layers: "guard guard/pii guard/secret"},
	{from: "model app", to: "tool", acts: true, stride: strideRepudiate, threats: "LLM06:2025", how: "an action can't be traced to the request that caused it", layers: "trace"},
	{from: "model app", to: "tool database", outside: true, stride: strideTampering, threats: "LLM05:2025", how: "the answer is run as SQL, as a command, as a path or as an address", layers: "guard/sink guard/structured"},
	{from: "model app", to: "browser", outside: true, stride: strideDisclosure, threats: "LLM05:2025 AML.T0077", how: "an image's address in the answer carries data away, or a script runs", layers: "guard/sink"},
	{from: "model app", to: "browser user", stride: strideTampering, threats: "LLM09:2025 AML.T0048", how: "an answer is false, or says what the owner would not sign", layers: "guard/content retrieve/rag eval/suite trace/monitor"},
	{from: "model app", to: "browser user", personal: true, stride: strideDisclosure, threats: "LLM02:2025 AML.T0057", how: "an answer shows personal data or a key", layers: "guard/pii guard/secret"},
	{from: "", to: "log", personal: true, stride: strideDisclosure, threats: "LLM02:2025", how: "prompts and answers in a log are a second copy of all personal data", layers: "guard/secret guard/pii trace"},
	{from: "supplier", to: "app model", stride: strideElevation, threats: "LLM03:2025 AML.T0010 AML.T0011.000", how: "a model file or a package runs code when it is loaded", layers: "guard/supply -network"},
	{from: "supplier", to: "app model training", stride: strideTampering, threats: "LLM03:2025 LLM04:2025 AML.T0018 AML.T0058", how: "weights or data were changed, and behave otherwise on a trigger", layers: "guard/supply eval/suite"},
	{from: "", to: "training", outside: true, stride: strideTampering, threats: "LLM04:2025 AML.T0020", how: "an outsider puts examples into the training data", layers: "-review eval/suite"},
	{from: "model", to: "app user browser", stride: strideDenial, threats: "LLM10:2025 AML.T0034", how: "the bill or the quality changes, and it is noticed weeks later", layers: "trace/monitor trace/cost retry/limit"},
	{from: "model", to: "user browser", stride: strideDisclosure, threats: "LLM10:2025 AML.T0024.002", how: "many answers are collected to copy the model", layers: "retry/limit trace/cost"},
}
