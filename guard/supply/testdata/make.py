# Makes the ordinary files of the test: run it with numpy 2.4 and joblib 1.6, and a folder.
# A stand-in for torch pickles as torch.save does.
import sys, types, pickle, zipfile, io, struct, collections, datetime, os
import numpy as np, joblib
os.chdir(sys.argv[1])
# modules that pickle as torch's do, without torch
torch=types.ModuleType('torch'); utils=types.ModuleType('torch._utils'); par=types.ModuleType('torch.nn.parameter'); nn=types.ModuleType('torch.nn')
sys.modules.update({'torch':torch,'torch._utils':utils,'torch.nn.parameter':par,'torch.nn':nn})
def _rebuild_tensor_v2(*a): pass
def _rebuild_parameter(*a): pass
for f in (_rebuild_tensor_v2,_rebuild_parameter): f.__module__='torch._utils'; f.__qualname__=f.__name__; setattr(utils,f.__name__,f)
sizes={'FloatStorage':4,'HalfStorage':2,'BFloat16Storage':2,'LongStorage':8,'ByteStorage':1}
for n in sizes:
  c=type(n,(),{}); c.__module__='torch'; setattr(torch,n,c)
class Size(tuple): pass
Size.__module__='torch'; torch.Size=Size
class Storage:
  def __init__(s,kind,key,data): s.kind,s.key,s.data=kind,key,data
class Tensor:
  def __init__(s,kind,key,shape,data=None,param=False):
    n=int(np.prod(shape)); s.st=Storage(kind,key,data or os.urandom(n*sizes[kind])); s.shape=shape; s.n=n; s.param=param
  def __reduce__(s):
    r=(s.st,0,tuple(s.shape),tuple(1 for _ in s.shape),False,collections.OrderedDict())
    if s.param:
      s.param=False; t=Tensor.__new__(Tensor); t.__dict__.update(s.__dict__)
      return _rebuild_parameter,(t,True,collections.OrderedDict())
    return _rebuild_tensor_v2,r
def dump(obj,proto,legacy=False):
  b=io.BytesIO(); p=pickle.Pickler(b,proto); st={}
  def pid(o):
    if isinstance(o,Storage):
      st[o.key]=o; k=getattr(torch,o.kind); n=len(o.data)//sizes[o.kind]
      return ('storage',k,o.key,'cpu',n,None) if legacy else ('storage',k,o.key,'cpu',n)
  class P(pickle.Pickler):
    def persistent_id(self,o): return pid(o)
  P(b,proto).dump(obj); return b.getvalue(),st
def save(name,obj,proto=2,method=zipfile.ZIP_STORED):
  pk,st=dump(obj,proto)
  with zipfile.ZipFile(name,'w',method) as z:
    z.writestr('archive/data.pkl',pk); z.writestr('archive/byteorder','little')
    for k,s in st.items(): z.writestr('archive/data/'+k,s.data)
    z.writestr('archive/version','3\n'); z.writestr('archive/.data/serialization_id','123')
def legacy(name,obj):
  pk,st=dump(obj,2,True)
  with open(name,'wb') as f:
    pickle.dump(0x1950a86a20f9469cfc6c,f,2); pickle.dump(1001,f,2); pickle.dump(dict(protocol_version=1001,little_endian=True,type_sizes=dict(short=2,int=4,long=4)),f,2)
    f.write(pk); pickle.dump(sorted(st),f,2)
    for k in sorted(st): f.write(struct.pack('<q',len(st[k].data)//sizes[st[k].kind])+st[k].data)
sd=collections.OrderedDict()
for i,(kind,shape) in enumerate([('FloatStorage',(12,4)),('HalfStorage',(64,)),('BFloat16Storage',(7,9)),('LongStorage',(5,)),('ByteStorage',(33,))]): sd['layer.%d.weight'%i]=Tensor(kind,str(i),shape,param=i==0)
sd2=collections.OrderedDict(('w%d'%i,Tensor('FloatStorage',str(i),(2,3))) for i in range(30))
evil=pickle.dumps(['a'])+b'cos\nsystem\n(S"x"\ntR.'
sd3={'w':Tensor('ByteStorage','0',(len(evil),),evil)}   # tensor bytes that look like a pickle
save('torch_zip.pt',sd); save('torch_many.bin',sd2); save('torch_ckpt.ckpt',{'state_dict':sd,'epoch':3,'lr':1e-3,'when':datetime.datetime(2026,1,1),'hyper':{'a':[1,2,None,True]},'np':np.float64(3.5),'rng':np.arange(10)}); save('torch_proto4.pt',sd,4); save('torch_tensorpickle.pt',sd3); save('torch_deflate.pt',sd,2,zipfile.ZIP_DEFLATED)
legacy('legacy.bin',sd); legacy('legacy_many.pth',sd2)
for p in range(6):
  pickle.dump({'a':np.random.rand(30,4),'b':np.array(['xy','zzz']),'c':set([1,2]),'d':b'bytes','e':frozenset('q'),'f':1+2j,'g':2**70,'h':-5,'i':'é"\'\\n','j':bytearray(b'k')},open('np_p%d.pkl'%p,'wb'),p)
  pickle.dump(collections.OrderedDict(a=1,b=collections.defaultdict(list,{1:[2]}),c=collections.deque([1]),d=collections.Counter('aab')),open('coll_p%d.pkl'%p,'wb'),p)
joblib.dump({'w':np.random.rand(6,3),'i':np.arange(7,dtype='i4'),'s':np.array(['a','bcd']),'f':np.asfortranarray(np.random.rand(3,4)),'e':np.zeros((0,3)),'z':np.array(5.0)},'arrays.joblib')
joblib.dump({'o':np.array([1,'a',None],dtype=object),'w':np.ones(5)},'object.joblib')
for c in ('gzip','zlib','bz2'): joblib.dump({'w':np.random.rand(6,3)},'arrays_%s.joblib'%c,compress=(c,3))
np.save('a.npy',np.random.rand(20)); np.savez('a.npz',a=np.arange(5),b=np.ones(3)); np.savez_compressed('b.npz',a=np.arange(5)); np.save('o.npy',np.array([1,'x'],dtype=object)); np.save('rec.npy',np.zeros(3,dtype=[('a','f4'),('b','O')]))
np.save('strd.npy',np.zeros(3,dtype=[('x','f4'),('b','i8')]))
def st(name,tensors,meta=None):
  import json
  h={};b=b''
  for k,v in tensors.items(): h[k]=dict(dtype='F32',shape=list(v.shape),data_offsets=[len(b),len(b)+v.nbytes]); b+=v.tobytes()
  if meta: h['__metadata__']=meta
  j=json.dumps(h).encode(); j+=b' '*(-len(j)%8); open(name,'wb').write(struct.pack('<Q',len(j))+j+b)
st('m.safetensors',{'a':np.zeros((3,4),'f4'),'b':np.zeros((0,),'f4'),'c':np.zeros((),'f4')},{'format':'pt'})
