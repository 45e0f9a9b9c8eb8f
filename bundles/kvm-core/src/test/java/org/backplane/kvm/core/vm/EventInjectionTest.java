package org.backplane.kvm.core.vm;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.*;

import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** SDM 3A table 6-5: which exceptions combine to a double fault, and what is queued again. */
class EventInjectionTest {
    private final CpuState s = new CpuState();

    @BeforeEach
    void protectedMode() {
        s.cr0 = CR0_PE;
    }

    private void delivering(int vector) {
        s.vectoringInfo = INFO_VALID | TYPE_HARDWARE_EXCEPTION | vector;
    }

    @Test
    void anExceptionWithAnErrorCodeCarriesIt() {
        assertTrue(EventInjection.exception(s, 13, 0x18));
        assertEquals(INFO_VALID | TYPE_HARDWARE_EXCEPTION | INFO_ERROR_CODE | 13, s.injectInfo);
        assertEquals(0x18, s.injectError);
    }

    @Test
    void realModeHasNoErrorCodes() {
        s.cr0 = 0;
        assertTrue(EventInjection.exception(s, 13, 0x18));
        assertEquals(INFO_VALID | TYPE_HARDWARE_EXCEPTION | 13, s.injectInfo);
    }

    @Test
    void contributoryAfterContributoryIsADoubleFault() {
        delivering(13);
        assertTrue(EventInjection.exception(s, 11, 4));
        assertEquals(8, s.injectInfo & 0xff);
        assertEquals(0, s.injectError);
    }

    @Test
    void pageFaultAfterContributoryIsAPageFault() {
        delivering(13);
        assertTrue(EventInjection.exception(s, 14, 2));
        assertEquals(14, s.injectInfo & 0xff);
    }

    @Test
    void pageFaultAfterPageFaultIsADoubleFault() {
        delivering(14);
        assertTrue(EventInjection.exception(s, 14, 2));
        assertEquals(8, s.injectInfo & 0xff);
    }

    @Test
    void anyFaultAfterADoubleFaultIsATripleFault() {
        delivering(8);
        assertFalse(EventInjection.exception(s, 13, 0));
    }

    @Test
    void aFaultWhileDeliveringAnInterruptIsThatFault() {
        s.vectoringInfo = INFO_VALID | TYPE_EXTERNAL | 0x20;
        assertTrue(EventInjection.exception(s, 14, 0));
        assertEquals(14, s.injectInfo & 0xff);
        assertEquals(0, s.vectoringInfo);
    }

    @Test
    void anEventThatWasCutShortIsQueuedAgain() {
        s.vectoringInfo = INFO_VALID | TYPE_SOFTWARE_INTERRUPT | 0x80;
        s.vectoringLength = 2;
        EventInjection.requeue(s);
        assertEquals(INFO_VALID | TYPE_SOFTWARE_INTERRUPT | 0x80, s.injectInfo);
        assertEquals(2, s.injectLength);
        assertEquals(0, s.vectoringInfo);
    }
}
