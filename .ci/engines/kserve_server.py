"""A KServe v2 server that doubles its input."""
from kserve import InferOutput, InferResponse, Model, ModelServer


class Double(Model):
    def __init__(self):
        super().__init__("toy")
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        tensor = payload.inputs[0]
        out = InferOutput("out", tensor.shape, tensor.datatype, [2 * v for v in tensor.data])
        return InferResponse(payload.id, "toy", [out])


if __name__ == "__main__":
    ModelServer(http_port=8090, grpc_port=8091, workers=1).start([Double()])
