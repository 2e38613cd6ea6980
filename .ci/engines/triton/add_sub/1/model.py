"""Two tensors added and subtracted."""
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        out = []
        for request in requests:
            a = pb.get_input_tensor_by_name(request, "a").as_numpy()
            b = pb.get_input_tensor_by_name(request, "b").as_numpy()
            out.append(pb.InferenceResponse([pb.Tensor("sum", a + b), pb.Tensor("diff", a - b)]))
        return out
