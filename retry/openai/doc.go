// Package openai is a langchaingo model for the OpenAI protocol that tells the
// truth about what the server sent.
package openai
