// Package openai finds OpenAI's encodings by name or by model: [ForModel] takes
// "gpt-4o-mini", [Encoding] takes "o200k_base". Importing the package brings the
// ranks of all encodings, 1.4 MB; a program that knows its encoding imports o200k
// or cl100k instead.
package openai
