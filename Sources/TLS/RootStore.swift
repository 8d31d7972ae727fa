// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// OpenSSL's store of trusted certificates, which fills itself from a ``RootIndex`` as chains ask for issuers.
@safe final class RootStore: @unchecked Sendable {
  /// An `X509_STORE`, which locks itself.
  let handle: OpaquePointer
  private let method: OpaquePointer?
  private let index: RootIndex?

  init(_ roots: TrustRoots) throws(TLSConfigurationError) {
    TLSLibrary.clearErrors()
    guard let store = unsafe X509_STORE_new() else { throw .library(TLSLibrary.takeErrorText()) }
    unsafe handle = store
    switch roots {
    case .none:
      index = nil
      unsafe method = nil
    case .der(let certificates):
      index = nil
      unsafe method = nil
      for der in certificates {
        let parsed = unsafe X509Handle.forEach(concatenated: der) { unsafe X509_STORE_add_cert(store, $0) == 1 }
        guard parsed else { throw .unusableCertificate }
      }
    case .bundles(let bundles):
      let index = RootIndex(bundles: bundles)
      let method = unsafe X509_LOOKUP_meth_new("PEM bundle")
      self.index = index
      unsafe self.method = method
      guard let method = unsafe method, unsafe X509_LOOKUP_meth_set_get_by_subject(method, RootStore.getBySubject) == 1,
        let lookup = unsafe X509_STORE_add_lookup(store, method),
        // The store holds the lookup, and this object holds both the store and the index: the pointer outlives its use.
        unsafe X509_LOOKUP_set_method_data(lookup, Unmanaged.passUnretained(index).toOpaque()) == 1
      else { throw .library(TLSLibrary.takeErrorText()) }
    }
  }

  deinit {
    unsafe X509_STORE_free(handle)
    unsafe X509_LOOKUP_meth_free(method)
  }

  /// OpenSSL asks for a certificate by its subject and wants all that match in the store, one of them as the answer.
  private static let getBySubject: X509_LOOKUP_get_by_subject_fn = { lookup, type, name, answer in
    guard type == X509_LU_X509, let name = unsafe name, let data = unsafe X509_LOOKUP_get_method_data(lookup),
      let store = unsafe X509_LOOKUP_get_store(lookup)
    else { return 0 }
    let index = unsafe Unmanaged<RootIndex>.fromOpaque(data).takeUnretainedValue()
    // What a damaged root leaves in the queue of errors must not look like a failure of the handshake.
    _ = ERR_set_mark()
    defer { _ = ERR_pop_to_mark() }
    for der in unsafe index.certificates(subject: name) {
      guard let certificate = unsafe X509Handle.parse(der) else { continue }
      _ = unsafe X509_STORE_add_cert(store, certificate)
      unsafe X509_free(certificate)
    }
    // The answer is the store's own object, never the one parsed above: the store drops what it has already. OpenSSL's
    // caller borrows the answer without a reference, so the one that setting it takes is given back.
    unsafe X509_STORE_lock(store)
    defer { unsafe X509_STORE_unlock(store) }
    let objects = unsafe X509_STORE_get0_objects(store)
    guard let object = unsafe X509_OBJECT_retrieve_by_subject(objects, X509_LU_X509, name),
      let certificate = unsafe X509_OBJECT_get0_X509(object), unsafe X509_OBJECT_set1_X509(answer, certificate) == 1
    else { return 0 }
    unsafe X509_free(certificate)
    return 1
  }
}
