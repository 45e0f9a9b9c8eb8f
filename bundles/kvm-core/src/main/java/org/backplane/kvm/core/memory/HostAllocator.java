package org.backplane.kvm.core.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Host memory for guest RAM: page-aligned, zero, and not touched before the guest touches it.
 *
 * <p>The JDK's own allocation writes zeros over all of it, which makes a machine with much memory slow to start and
 * resident from the first moment. The C library's {@code calloc}, which every platform of the JDK has, takes fresh pages from the system
 * instead; where it cannot be had, the JDK's allocation serves.
 */
final class HostAllocator {
    private static final long PAGE = 4096;

    private HostAllocator() {}

    /**
     * Allocates for as long as the arena lives.
     *
     * @throws OutOfMemoryError if the memory cannot be reserved
     */
    static MemorySegment allocate(Arena arena, long bytes) {
        MemorySegment block = calloc(arena, bytes + PAGE);
        long skip = -block.address() & PAGE - 1;
        return block.asSlice(skip, bytes);
    }

    private static MemorySegment calloc(Arena arena, long bytes) {
        Linker linker = Linker.nativeLinker();
        var callocSymbol = linker.defaultLookup().find("calloc");
        var freeSymbol = linker.defaultLookup().find("free");
        if (callocSymbol.isEmpty() || freeSymbol.isEmpty()) return arena.allocate(bytes, PAGE);
        MethodHandle calloc = linker.downcallHandle(
                callocSymbol.get(),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        MethodHandle free =
                linker.downcallHandle(freeSymbol.get(), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
        MemorySegment raw;
        try {
            raw = (MemorySegment) calloc.invokeExact(1L, bytes);
        } catch (Throwable t) {
            throw new IllegalStateException("calloc failed", t);
        }
        if (raw.address() == 0) throw new OutOfMemoryError("cannot reserve " + bytes + " bytes of guest memory");
        return raw.reinterpret(bytes, arena, s -> {
            try {
                free.invokeExact(s);
            } catch (Throwable t) {
                throw new IllegalStateException("free failed", t);
            }
        });
    }
}
