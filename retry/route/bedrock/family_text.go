package bedrock

import (
	"encoding/json"

	"github.com/prodailabs/prodai/internal/callopt"
)

func cohereRequest(all []turn, o *callopt.Options) map[string]any {
	body := map[string]any{"prompt": plain(all)}
	put(body, o, map[callopt.Field]string{callopt.MaxTokens: "max_tokens", callopt.Temperature: "temperature", callopt.TopP: "p", callopt.TopK: "k"})
	stops(body, "stop_sequences", o)
	return body
}

func cohereAnswer(data []byte) (piece, error) {
	var r struct {
		Generations []struct {
			Text string `json:"text"`
			Stop string `json:"finish_reason"`
		} `json:"generations"`
	}
	err := json.Unmarshal(data, &r)
	p := piece{input: -1, output: -1}
	if len(r.Generations) > 0 {
		p.text, p.stop = r.Generations[0].Text, r.Generations[0].Stop
	}
	return p, err
}

func cohereEvent(data []byte) (piece, error) {
	var e struct {
		Text string `json:"text"`
		Stop string `json:"finish_reason"`
	}
	err := json.Unmarshal(data, &e)
	return piece{text: e.Text, stop: e.Stop, input: -1, output: -1}, err
}

func ai21Request(all []turn, o *callopt.Options) map[string]any {
	body := map[string]any{"prompt": plain(all)}
	put(body, o, map[callopt.Field]string{callopt.MaxTokens: "maxTokens", callopt.Temperature: "temperature", callopt.TopP: "topP"})
	stops(body, "stopSequences", o)
	return body
}

func ai21Answer(data []byte) (piece, error) {
	var r struct {
		Completions []struct {
			Data   struct{ Text string }   `json:"data"`
			Finish struct{ Reason string } `json:"finishReason"`
		} `json:"completions"`
	}
	err := json.Unmarshal(data, &r)
	p := piece{input: -1, output: -1}
	if len(r.Completions) > 0 {
		p.text, p.stop = r.Completions[0].Data.Text, r.Completions[0].Finish.Reason
	}
	return p, err
}

func titanRequest(all []turn, o *callopt.Options) map[string]any {
	config := map[string]any{}
	put(config, o, map[callopt.Field]string{callopt.MaxTokens: "maxTokenCount", callopt.Temperature: "temperature", callopt.TopP: "topP"})
	stops(config, "stopSequences", o)
	return map[string]any{"inputText": plain(all), "textGenerationConfig": config}
}

func titanAnswer(data []byte) (piece, error) {
	var r struct {
		Input   *int `json:"inputTextTokenCount"`
		Results []struct {
			Tokens *int   `json:"tokenCount"`
			Text   string `json:"outputText"`
			Stop   string `json:"completionReason"`
		} `json:"results"`
	}
	err := json.Unmarshal(data, &r)
	p := piece{input: known(r.Input), output: -1}
	if len(r.Results) > 0 {
		p.text, p.stop, p.output = r.Results[0].Text, r.Results[0].Stop, known(r.Results[0].Tokens)
	}
	return p, err
}

func titanEvent(data []byte) (piece, error) {
	var e struct {
		Input  *int   `json:"inputTextTokenCount"`
		Output *int   `json:"totalOutputTextTokenCount"`
		Text   string `json:"outputText"`
		Stop   string `json:"completionReason"`
	}
	err := json.Unmarshal(data, &e)
	return piece{text: e.Text, stop: e.Stop, input: known(e.Input), output: known(e.Output)}, err
}
