package main

// good is a valid answer.
const good = `{"number": "INV-4711", "due": "2026-12-31", "total": 75.5, "lines": [{"what": "lamp", "count": 2, "price": 30}, {"what": "bulb \"E27\"", "count": 5, "price": 3.1}]}`

// answers are the forms in which models give it.
var answers = []struct{ name, text, stop string }{
	{"as it should be", good, ""},
	{"in a fence, with a greeting", "Sure! Here is the data:\n```json\n" + good + "\n```\nAnything else?", ""},
	{"after its thinking", "<think>The total {?} must be 75.5. {\"total\": 75}</think>\n" + good, ""},
	{"in Python's notation", `{'number': 'INV-4711', 'due': '2026-12-31', 'total': 75.5, 'lines': [{'what': 'lamp', 'count': 2, 'price': 30}, {'what': 'bulb "E27"', 'count': 5, 'price': 3.1},]}`, ""},
	{"with typographic quotes", `{“number”: “INV-4711”, “due”: “2026-12-31”, “total”: 75.5, “lines”: [{“what”: “lamp”, “count”: 2, “price”: 30}, {“what”: “bulb E27”, “count”: 5, “price”: 3.1}]}`, ""},
	{"with quotes in a string", `{"number": "INV-4711", "due": "2026-12-31", "total": 75.5, "lines": [{"what": "lamp", "count": 2, "price": 30}, {"what": "bulb "E27", white", "count": 5, "price": 3.1}]}`, ""},
	{"without some commas", "{\"number\": \"INV-4711\"\n \"due\": \"2026-12-31\"\n \"total\" 75.5,\n \"lines\": [{\"what\": \"lamp\", \"count\": 2, \"price\": 30} {\"what\": \"bulb\", \"count\": 5, \"price\": 3.1}]}", ""},
	{"with comments", "{\n  \"number\": \"INV-4711\", // printed top right\n  \"due\": \"2026-12-31\",\n  \"total\": 75.5,\n  \"lines\": [{\"what\": \"lamp\", \"count\": 2, \"price\": 30}, {\"what\": \"bulb\", \"count\": 5, \"price\": 3.1}, ...]\n}", ""},
	{"as JSON in a string", `"{\"number\": \"INV-4711\", \"due\": \"2026-12-31\", \"total\": 60, \"lines\": [{\"what\": \"lamp\", \"count\": 2, \"price\": 30}]}"`, ""},
	{"cut by the token limit", good[:122], "length"},
	{"with a word for a number", `{"number": "INV-4711", "due": "2026-12-31", "total": "seventy-five fifty", "lines": [{"what": "lamp", "count": 2, "price": 30}]}`, ""},
	{"with a field too few and one too many", `{"number": "4711", "due": "31.12.2026", "Total": 60, "lines": []}`, ""},
	{"with a sum that is wrong", `{"number": "INV-4711", "due": "2026-12-31", "total": 99, "lines": [{"what": "lamp", "count": 2, "price": 30}]}`, ""},
	{"as an apology", "I'm sorry, but I can't read the invoice.", ""},
}
