package org.backplane.kvm.core.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Locks guest memory into RAM with {@code mlock(2)}, where the system has it: it touches every page now, and none is swapped out.
 */
public final class MemoryLock {
    private MemoryLock() {}

    /**
     * @return empty, or why it cannot be done: no such call on this system, or its error (usually the limit {@code ulimit -l})
     */
    public static String lock(MemorySegment memory) {
        Linker linker = Linker.nativeLinker();
        var symbol = linker.defaultLookup().find("mlock");
        if (symbol.isEmpty()) return "this system has no mlock";
        StructLayout errnoLayout = Linker.Option.captureStateLayout();
        MethodHandle mlock = linker.downcallHandle(
                symbol.get(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG),
                Linker.Option.captureCallState("errno"));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment captured = arena.allocate(errnoLayout);
            int result = (int) mlock.invokeExact(captured, memory, memory.byteSize());
            if (result == 0) return "";
            long at = errnoLayout.byteOffset(MemoryLayout.PathElement.groupElement("errno"));
            return "mlock fails with errno " + captured.get(ValueLayout.JAVA_INT, at) + " (see ulimit -l)";
        } catch (Throwable t) {
            throw new IllegalStateException("mlock cannot be called", t);
        }
    }
}
