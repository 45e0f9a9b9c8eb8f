package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Which event the next VM entry delivers (contract 5): an exception of the exit that was just handled, an event whose delivery
 * the exit cut short, an NMI, or an external interrupt, in this order.
 */
final class EventInjection {
    private static final int DEBUG = 1, DOUBLE_FAULT = 8, PAGE_FAULT = 14;

    /** Vectors that push an error code: 8, 10 to 14, 17. */
    private static final int HAS_ERROR_CODE = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

    private EventInjection() {}

    /**
     * Queues an exception, combined with the event that was being delivered (SDM 3A table 6-5): contributory after
     * contributory, or contributory or #PF after #PF, makes #DF.
     *
     * @param errorCode -1 if the vector has none
     * @return false if the combination is a triple fault
     */
    static boolean exception(CpuState s, int vector, int errorCode) {
        int first = s.vectoringInfo;
        s.vectoringInfo = 0;
        if ((first & INFO_VALID) != 0 && (first & INFO_TYPE) == TYPE_HARDWARE_EXCEPTION) {
            int v = first & 0xff;
            if (v == DOUBLE_FAULT) return false;
            boolean second = contributory(vector);
            if (contributory(v) && second || v == PAGE_FAULT && (second || vector == PAGE_FAULT)) {
                vector = DOUBLE_FAULT;
                errorCode = 0;
            }
        }
        if (vector == DEBUG) s.enterDebugException();
        // Real mode pushes no error codes, and VM entry refuses one (SDM 3C 26.2.1.3).
        boolean code = s.protectedMode() && (HAS_ERROR_CODE >> vector & 1) != 0;
        s.injectInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | (code ? INFO_ERROR_CODE : 0) | vector;
        s.injectError = code ? errorCode : 0;
        s.injectLength = 0;
        return true;
    }

    /** The exit was handled without a new exception: what it cut short is delivered again. */
    static void requeue(CpuState s) {
        if ((s.vectoringInfo & INFO_VALID) == 0) return;
        if ((s.injectInfo & INFO_VALID) == 0) {
            s.injectInfo = s.vectoringInfo;
            s.injectError = s.vectoringError;
            s.injectLength = s.vectoringLength;
        }
        s.vectoringInfo = 0;
    }

    /** Queues an acknowledged external interrupt or an NMI; a halted CPU wakes. */
    static void interrupt(CpuState s, int type, int vector) {
        s.injectInfo = INFO_VALID | type | vector;
        s.injectError = 0;
        s.injectLength = 0;
        s.activity = ACTIVE;
    }

    private static boolean contributory(int vector) {
        return vector == 0 || vector >= 10 && vector <= 13;
    }
}
