"""A text model in the shape of TensorRT-LLM's ensemble: it repeats the prompt."""
import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            text = pb.get_input_tensor_by_name(request, "text_input").as_numpy().reshape(-1)[0].decode()
            stream = pb.get_input_tensor_by_name(request, "stream")
            sender = request.get_response_sender()
            answer = "You said: " + text
            words = [w + " " for w in answer.split(" ")] if stream is not None and bool(stream.as_numpy().reshape(-1)[0]) else [answer]
            for word in words:
                sender.send(pb.InferenceResponse([pb.Tensor("text_output", np.array([word], dtype=object))]))
            sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        return None
