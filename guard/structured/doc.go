// Package structured gets typed values out of a model's text: a schema from a Go
// type, a parser that forgives form, a validator that doesn't forgive content,
// and one more question when the answer won't do.
//
// # The lecture
//
// Lecture 3. A model is asked for the total of an invoice and the program wants
// a number. In the demo json.Unmarshal works. In production, over a month, the
// same prompt comes back in a code fence, with "Sure!" in front, with a comma too
// many, with the number as "12,50", cut in the middle because the token limit
// was hit, and once as an apology. Each is rare; together they are two percent of
// the calls, and each is an error page.
//
// There are two kinds of wrong here and they want opposite answers. Wrong form
// (fences, quotes, commas) says nothing about the content: repair it, silently.
// Wrong content (a missing field, a string where a number must be, a date that
// is none) can't be repaired without knowing what was meant: to turn "many" into 0
// is to invent a number. Ask once more, and say what was wrong.
//
//	answer ──▶ Repair ──▶ Validate ──▶ Check ──▶ value
//	             │           │           │
//	             └── no JSON ┴─ problems ┘
//	                         │
//	                 ask once more, with the list,
//	                 while attempts and tokens last
//
// # The parts
//
//   - [For] makes a [Schema] of a Go type; [ParseSchema] takes one from elsewhere,
//     such as pydantic's model_json_schema().
//   - [Repair] reads what a model meant as JSON. It knows what models do to JSON,
//     see its comment, and takes linear time on anything.
//   - [Schema.Validate] names every problem with its place, what came and what
//     would be right: those sentences are written for a model to act on.
//   - [Generate] puts it together, with a budget, and with partial values while
//     the answer streams.
//
// # A program
//
//	type Invoice struct {
//		Number string  `json:"number" schema:"pattern=^INV-[0-9]+$"`
//		Total  float64 `json:"total" jsonschema:"with tax, in euros" schema:"minimum=0"`
//	}
//	r, err := structured.Generate(ctx, model, messages, &structured.Options[Invoice]{
//		Mode: structured.ModeResponseFormat,
//		OnPartial: func(_ context.Context, v Invoice) error { return show(v) },
//	})
//	if err == nil {
//		fmt.Println(r.Value.Total, len(r.Attempts))
//	}
//
// # Who keeps the model to the schema
//
// With [ModeResponseFormat] some providers mask, at each step, the tokens that the
// schema forbids (constrained decoding): the form is then right by construction.
// Three things remain. The answer can still be cut by the token limit, refused,
// or valid and false. Strict modes take a subset of JSON Schema, so a minimum or a
// pattern may be ignored by a provider that promised to keep to it. And your program
// meets other models. So validate every answer, of any model. [ModeTool] does the
// same by way of a function call; [ModePrompt] works with any model and relies on its
// good will.
//
// Order the fields as you would think: models write them in that order, and a
// field "reason" in front of "verdict" lets the verdict follow from the reason.
//
// # How a quote ends a string
//
// Most repairs are local: a comma that is missing is missed at once. One is not.
// In {"said": "she said "hi", then left", "n": 1} five quotes could end the
// string. [Repair] asks at each quote whether what follows could follow a
// string there: a comma and then a key, a bracket, the end. Everything else
// belongs to the string. The look ahead is bounded, so the time stays linear; a
// parser that tries and backtracks here can be made to run for minutes by a
// model that was told to write quotes.
//
// # Pitfalls
//
//   - Retrying by asking the same question again. The model doesn't know what was
//     wrong, and at temperature 0 it says the same.
//   - Re-asking without a budget: a schema that no answer fits costs money
//     forever. Count tokens, not only attempts.
//   - A cut answer can be valid: a list of three where ten were meant. [Generate]
//     reads only an answer whose stop reason proves that it is complete. A filter,
//     a failure and a word that is not known are no proof.
//   - Partial values are a preview. "sl" is not yet "slow", and a total is shown
//     only when its last digit is there.
//   - Numbers beyond 2^53: a Go int64 reads them whole, JavaScript and float64
//     don't. [Value].JSON keeps the digits as written.
//   - Valid is not true. A schema checks that the total is a number, not that it
//     is the total. See eval.
//
// # Exercises
//
//  1. Make a script of model answers, each broken in one way, and find the first
//     that [Repair] reads differently from you. Who is right?
//  2. Measure how often a model needs a second attempt for your schema with the
//     problems in the question, and without.
//  3. Put the field "reason" behind the verdict instead of in front. Does eval
//     see a difference?
//  4. Write the incremental reader that [Options].OnPartial doesn't have: one
//     that never reads a byte twice.
//
// # Further reading
//
//   - RFC 8259, JSON; RFC 6901, JSON Pointer; JSON Schema draft 2020-12.
//   - OpenAI: Structured outputs; pydantic: JSON Schema.
//   - B. Willard, R. Louf: Efficient guided generation for large language models.
//     arXiv:2307.09702, 2023. How the tokens are masked.
//   - S. Geng et al.: JSONSchemaBench. arXiv:2501.10868, 2025. What engines do
//     not support.
//   - N. Seriot: Parsing JSON is a minefield, 2016.
//   - mangiucugna/json_repair, the Python library measured against here.
package structured
