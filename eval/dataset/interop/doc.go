// Package interop reads and writes the datasets of RAGAS and DeepEval, so that cases and
// answers can go to these packages and come back. Samples of OpenAI Evals are in package
// openaievals.
//
// # The idea
//
// A [Row] is a case with what a system answered. The table shows where each part is:
//
//	Row               RAGAS                 DeepEval
//	Case.Input        user_input            input
//	Answer            response              actual_output
//	Case.References   reference             expected_output
//	Retrieved         retrieved_contexts    retrieval_context
//	Case.Context      reference_contexts    context
//	Calls             tool_calls of the AI  tools_called
//	Case.Calls        reference_tool_calls  expected_tools
//	Case.ID           -                     name
//	Case.Tags         -                     additional_metadata
//
// What a format has no place for is an error where silence would change the data, such as
// a second reference. Ids and tags are not written to RAGAS.
//
// # Pitfalls
//
//   - Don't write DeepEval's JSONL for passages with "|": because it joins passages with that
//     sign. [WriteDeepEval] writes a JSON list, which has no such limit.
//   - Don't mix rows with and without tool calls for RAGAS: because a file has single turns
//     or conversations, and not both.
package interop
