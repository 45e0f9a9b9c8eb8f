package org.backplane.kvm.api;

/** A refused call, with the error code that the ioctl would have given. */
public class KvmException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The error codes in use, named as in errno.h. */
    public enum Errno {
        EINVAL,
        EEXIST,
        ENOENT,
        E2BIG,
        EBUSY,
        EFAULT,
        ENOMEM,
        ENODEV,
        ENXIO
    }

    private final Errno errno;

    public KvmException(Errno errno, String message) {
        super(errno + ": " + message);
        this.errno = errno;
    }

    public Errno errno() {
        return errno;
    }
}
