package gateway

import "path"

// A lecture is one of the course's with a question that its notes answer.
type lecture struct {
	Number   int    `json:"number"`
	Name     string `json:"name"`
	Question string `json:"question,omitempty"` // none: the documents do not have its notes
	notes    string // the package whose notes answer it
}

// lectures has a question for each lecture, so that a newcomer sees what can be asked.
// The midterm asks about the lectures before it.
var lectures = []lecture{
	{1, "The production landscape", "What is a production AI system?", "."},
	{2, "Generative AI review", "What is a context window?", "chunk/token"},
	{3, "Clients, errors, types", "What is a transient error?", "retry/fault"},
	{4, "Asynchronous workloads", "Why is full jitter better than plain exponential backoff?", "retry"},
	{5, "Evaluation fundamentals", "What does BLEU measure, and when does it mislead?", "eval"},
	{6, "Advanced evaluation", "What is peeking in an A/B test?", "eval/stats"},
	{7, "Threats", "What is prompt injection?", "guard/injection"},
	{8, "Guardrails", "What is defense in depth?", "guard"},
	{9, "Midterm", "What is the difference between a retry budget and a circuit breaker?", "retry"},
	{10, "Retrieval", "How does reciprocal rank fusion work?", "retrieve"},
	{11, "Containers and orchestration", "What is hybrid routing?", "."},
	{12, "Serving engines", "What is a serving engine?", "."},
	{13, "Model optimization", "What is product quantization?", "retrieve/vecquant"},
	{14, "Inference optimization", "What makes two calls equal for a cache?", "cache"},
	{15, "Tracing", "Why do only attempts carry usage and cost?", "trace"},
	{16, "Monitoring and incidents", "What is an error budget?", "trace"},
}

// suggestions returns the lectures, with a question where the documents have the
// notes that answer it. Without any of the course's notes it returns none.
func suggestions(sources map[string]int) []lecture {
	have := map[string]bool{}
	for name := range sources {
		have[path.Dir(name)] = have[path.Dir(name)] || path.Base(name) == "doc.go"
		have[name] = true
	}
	out := make([]lecture, len(lectures))
	any := false
	for i, l := range lectures {
		if out[i] = l; !have[l.notes] {
			out[i].Question = ""
		}
		any = any || have[l.notes]
	}
	if !any {
		return []lecture{}
	}
	return out
}
