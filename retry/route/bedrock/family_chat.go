package bedrock

import (
	"encoding/json"
	"strings"

	"github.com/prodailabs/prodai/internal/callopt"
)

// anthropicTokens is the limit of an answer without llms.WithMaxTokens: Anthropic asks
// for one.
const anthropicTokens = 2048

func anthropicRequest(all []turn, o *callopt.Options) map[string]any {
	system, list := merged(all)
	messages := []map[string]any{}
	for _, t := range list {
		messages = append(messages, map[string]any{"role": t.role, "content": []map[string]any{{"type": "text", "text": t.text}}})
	}
	body := map[string]any{"anthropic_version": "bedrock-2023-05-31", "max_tokens": anthropicTokens, "messages": messages}
	if system != "" {
		body["system"] = system
	}
	put(body, o, map[callopt.Field]string{callopt.MaxTokens: "max_tokens", callopt.Temperature: "temperature", callopt.TopP: "top_p", callopt.TopK: "top_k"})
	stops(body, "stop_sequences", o)
	return body
}

type anthropicUsage struct {
	Input  *int `json:"input_tokens"`
	Output *int `json:"output_tokens"`
}

func anthropicAnswer(data []byte) (piece, error) {
	var r struct {
		Content []struct{ Type, Text string }
		Stop    string         `json:"stop_reason"`
		Usage   anthropicUsage `json:"usage"`
	}
	err := json.Unmarshal(data, &r)
	p := piece{stop: r.Stop, input: known(r.Usage.Input), output: known(r.Usage.Output)}
	for _, c := range r.Content {
		p.text += c.Text
	}
	return p, err
}

func anthropicEvent(data []byte) (piece, error) {
	var e struct {
		Message struct{ Usage anthropicUsage } `json:"message"`
		Delta   struct {
			Text string `json:"text"`
			Stop string `json:"stop_reason"`
		} `json:"delta"`
		Usage anthropicUsage `json:"usage"`
	}
	err := json.Unmarshal(data, &e)
	return piece{text: e.Delta.Text, stop: e.Delta.Stop, input: max(known(e.Message.Usage.Input), known(e.Usage.Input)), output: known(e.Usage.Output)}, err
}

func novaRequest(all []turn, o *callopt.Options) map[string]any {
	system, list := merged(all)
	messages := []map[string]any{}
	for _, t := range list {
		messages = append(messages, map[string]any{"role": t.role, "content": []map[string]any{{"text": t.text}}})
	}
	config := map[string]any{}
	put(config, o, map[callopt.Field]string{callopt.MaxTokens: "maxTokens", callopt.Temperature: "temperature", callopt.TopP: "topP", callopt.TopK: "topK"})
	stops(config, "stopSequences", o)
	body := map[string]any{"messages": messages, "inferenceConfig": config}
	if system != "" {
		body["system"] = []map[string]any{{"text": system}}
	}
	return body
}

type novaUsage struct {
	Input  *int `json:"inputTokens"`
	Output *int `json:"outputTokens"`
}

func novaAnswer(data []byte) (piece, error) {
	var r struct {
		Output struct {
			Message struct{ Content []struct{ Text string } }
		}
		Stop  string    `json:"stopReason"`
		Usage novaUsage `json:"usage"`
	}
	err := json.Unmarshal(data, &r)
	p := piece{stop: r.Stop, input: known(r.Usage.Input), output: known(r.Usage.Output)}
	for _, c := range r.Output.Message.Content {
		p.text += c.Text
	}
	return p, err
}

func novaEvent(data []byte) (piece, error) {
	var e struct {
		Block    struct{ Delta struct{ Text string } } `json:"contentBlockDelta"`
		Stop     struct{ StopReason string }           `json:"messageStop"`
		Metadata struct{ Usage novaUsage }             `json:"metadata"`
	}
	err := json.Unmarshal(data, &e)
	return piece{text: e.Block.Delta.Text, stop: e.Stop.StopReason, input: known(e.Metadata.Usage.Input), output: known(e.Metadata.Usage.Output)}, err
}

func metaRequest(all []turn, o *callopt.Options) map[string]any {
	body := map[string]any{"prompt": llama(all)}
	put(body, o, map[callopt.Field]string{callopt.MaxTokens: "max_gen_len", callopt.Temperature: "temperature", callopt.TopP: "top_p"})
	return body
}

// llama writes the template of Llama 3, without which the model continues the text in
// place of answering. Marks in the user's text are taken out: they would end the turn.
func llama(all []turn) string {
	var b strings.Builder
	b.WriteString("<|begin_of_text|>")
	for _, t := range all {
		text := t.text
		for strings.Contains(text, "<|") {
			text = strings.ReplaceAll(text, "<|", "<")
		}
		b.WriteString("<|start_header_id|>" + t.role + "<|end_header_id|>\n\n" + text + "<|eot_id|>")
	}
	return b.String() + "<|start_header_id|>assistant<|end_header_id|>\n\n"
}

func metaPiece(data []byte) (piece, error) {
	var r struct {
		Text   string `json:"generation"`
		Stop   string `json:"stop_reason"`
		Input  *int   `json:"prompt_token_count"`
		Output *int   `json:"generation_token_count"`
	}
	err := json.Unmarshal(data, &r)
	return piece{text: r.Text, stop: r.Stop, input: known(r.Input), output: known(r.Output)}, err
}
