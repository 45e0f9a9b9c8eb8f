package org.backplane.irqchip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.InterruptController;
import org.junit.jupiter.api.Test;

class PicTest extends DeviceContractTest {
    private static final int MASTER = 0x20;
    private static final int SLAVE = 0xa0;
    private static final int ELCR1 = 0x4d0;
    private static final int NON_SPECIFIC_EOI = 0x20;

    @Override
    protected DeviceFactory factory() {
        return new PicFactory();
    }

    @Override
    protected void exercise(DeviceBench b) {
        initialize(b, 0x01);
        b.outb(ELCR1 + 1, 0x02);
        b.outb(MASTER + 1, 0x10);
        InterruptController pic = b.facet(InterruptController.class);
        pic.setLine(9, true);
        pic.setLine(3, true);
        pic.acknowledge(0);
        pic.setLine(1, true);
        b.outb(SLAVE, 0x11);
    }

    /** Bases 0x20 and 0x28, cascade on 2, as Linux does. */
    private static void initialize(DeviceBench b, int icw4) {
        b.outb(MASTER, 0x11);
        b.outb(MASTER + 1, 0x20);
        b.outb(MASTER + 1, 0x04);
        b.outb(MASTER + 1, icw4);
        b.outb(SLAVE, 0x11);
        b.outb(SLAVE + 1, 0x28);
        b.outb(SLAVE + 1, 0x02);
        b.outb(SLAVE + 1, icw4);
    }

    private final DeviceBench b = DeviceBench.of(new PicFactory());
    private final InterruptController pic = b.facet(InterruptController.class);

    private void initialize() {
        initialize(b, 0x01);
    }

    private void pulse(int gsi) {
        pic.setLine(gsi, false);
        pic.setLine(gsi, true);
    }

    private int isr(int chip) {
        b.outb(chip, 0x0b);
        return b.inb(chip);
    }

    private int irr(int chip) {
        b.outb(chip, 0x0a);
        return b.inb(chip);
    }

    @Test
    void edgeRequestsOnceAndIsAcknowledgedWithItsVector() {
        initialize();
        assertFalse(pic.pending(0));
        pic.setLine(4, true);
        assertTrue(pic.pending(0));
        assertEquals(0x10, irr(MASTER));
        assertEquals(0x24, pic.acknowledge(0));
        assertEquals(0, irr(MASTER));
        assertEquals(0x10, isr(MASTER));
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertFalse(pic.pending(0), "the line is still high, but there was no new edge");
        pulse(4);
        assertTrue(pic.pending(0));
    }

    @Test
    void edgeThatFallsBeforeTheAcknowledgeIsGoneAndGivesSpurious7() {
        initialize();
        pic.setLine(4, true);
        pic.setLine(4, false);
        assertFalse(pic.pending(0));
        assertEquals(0x27, pic.acknowledge(0));
        assertEquals(0, isr(MASTER), "spurious: nothing is in service");
    }

    @Test
    void slaveRequestThatFallsTakesTheCascadeAlong() {
        initialize();
        pic.setLine(12, true);
        pic.setLine(12, false);
        assertFalse(pic.pending(0));
        assertEquals(0x27, pic.acknowledge(0), "the acknowledge is one step, so it is the master that finds nothing");
        assertEquals(0, isr(MASTER));
        assertEquals(0, isr(SLAVE));
    }

    @Test
    void polledMasterLeavesTheSlaveToItsOwnPoll() {
        initialize();
        pic.setLine(9, true);
        b.outb(MASTER, 0x0c);
        assertEquals(0x82, b.inb(MASTER));
        b.outb(SLAVE, 0x0c);
        assertEquals(0x81, b.inb(SLAVE));
        assertEquals(0x04, isr(MASTER));
        assertEquals(0x02, isr(SLAVE));
        assertFalse(pic.pending(0));
    }

    @Test
    void slaveInterruptsComeThroughTheCascade() {
        initialize();
        pic.setLine(14, true);
        assertEquals(0x2e, pic.acknowledge(0));
        assertEquals(0x04, isr(MASTER));
        assertEquals(0x40, isr(SLAVE));
        pic.setLine(8, true);
        assertFalse(pic.pending(0), "the master waits for the cascade's EOI, as in fully nested mode without SFNM");
        b.outb(SLAVE, NON_SPECIFIC_EOI);
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertEquals(0x28, pic.acknowledge(0));
    }

    @Test
    void secondSlaveRequestMakesItsOwnEdge() {
        initialize();
        pic.setLine(14, true);
        pic.setLine(8, true);
        assertEquals(0x28, pic.acknowledge(0));
        b.outb(SLAVE, NON_SPECIFIC_EOI);
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertTrue(pic.pending(0));
        assertEquals(0x2e, pic.acknowledge(0));
    }

    @Test
    void higherPriorityInterruptsAndLowerWaits() {
        initialize();
        pic.setLine(4, true);
        pic.acknowledge(0);
        pic.setLine(5, true);
        assertFalse(pic.pending(0));
        pic.setLine(1, true);
        assertEquals(0x21, pic.acknowledge(0));
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertEquals(0x10, isr(MASTER), "non-specific EOI ends the highest");
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertEquals(0x25, pic.acknowledge(0));
    }

    @Test
    void slaveOutranksInputs3To7() {
        initialize();
        pic.setLine(3, true);
        pic.setLine(15, true);
        assertEquals(0x2f, pic.acknowledge(0));
    }

    @Test
    void maskHidesTheRequestAndKeepsIt() {
        initialize();
        b.outb(MASTER + 1, 0x10);
        pic.setLine(4, true);
        assertFalse(pic.pending(0));
        assertEquals(0x10, b.inb(MASTER + 1));
        assertEquals(0x10, irr(MASTER));
        b.outb(MASTER + 1, 0);
        assertTrue(pic.pending(0));
    }

    @Test
    void specificEoiEndsItsOwnLevel() {
        initialize();
        pic.setLine(4, true);
        pic.acknowledge(0);
        pic.setLine(1, true);
        pic.acknowledge(0);
        b.outb(MASTER, 0x60 | 4);
        assertEquals(0x02, isr(MASTER));
    }

    @Test
    void specialMaskModeLetsOthersPassAMaskedOneInService() {
        initialize();
        pic.setLine(4, true);
        pic.acknowledge(0);
        b.outb(MASTER + 1, 0x10);
        pic.setLine(6, true);
        assertFalse(pic.pending(0));
        b.outb(MASTER, 0x68);
        assertTrue(pic.pending(0));
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertEquals(0x10, isr(MASTER), "a masked level is passed over by the non-specific EOI");
        b.outb(MASTER, 0x48);
        assertFalse(pic.pending(0));
    }

    @Test
    void specialFullyNestedModeLetsTheSlaveNest() {
        initialize(b, 0x11);
        pic.setLine(14, true);
        pic.acknowledge(0);
        pic.setLine(8, true);
        assertEquals(0x28, pic.acknowledge(0));
        assertEquals(0x41, isr(SLAVE));
    }

    @Test
    void automaticEoiLeavesNothingInService() {
        initialize(b, 0x03);
        pic.setLine(4, true);
        assertEquals(0x24, pic.acknowledge(0));
        assertEquals(0, isr(MASTER));
        pic.setLine(5, true);
        assertTrue(pic.pending(0));
    }

    @Test
    void automaticEoiRotatesWhenAsked() {
        initialize(b, 0x03);
        b.outb(MASTER, 0x80);
        pic.setLine(4, true);
        pic.acknowledge(0);
        pic.setLine(3, true);
        pic.setLine(5, true);
        assertEquals(0x25, pic.acknowledge(0), "4 has become the lowest");
    }

    @Test
    void rotatingEoiMakesTheServedInputLowest() {
        initialize();
        pic.setLine(0, true);
        pic.acknowledge(0);
        b.outb(MASTER, 0xa0);
        pulse(0);
        pic.setLine(7, true);
        assertEquals(0x27, pic.acknowledge(0));
    }

    @Test
    void setPriorityCommandNamesTheLowestInput() {
        initialize();
        b.outb(MASTER, 0xc0 | 3);
        pic.setLine(3, true);
        pic.setLine(4, true);
        assertEquals(0x24, pic.acknowledge(0));
    }

    @Test
    void rotateOnSpecificEoiEndsAndRotates() {
        initialize();
        pic.setLine(5, true);
        pic.acknowledge(0);
        b.outb(MASTER, 0xe0 | 5);
        assertEquals(0, isr(MASTER));
        pic.setLine(6, true);
        pic.setLine(4, true);
        assertEquals(0x26, pic.acknowledge(0));
    }

    @Test
    void levelTriggeredInputRequestsAsLongAsItIsHigh() {
        initialize();
        b.outb(ELCR1 + 1, 0x02);
        pic.setLine(9, true);
        assertEquals(0x29, pic.acknowledge(0));
        b.outb(SLAVE, NON_SPECIFIC_EOI);
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertTrue(pic.pending(0), "still high");
        pic.setLine(9, false);
        assertFalse(pic.pending(0));
    }

    @Test
    void ltimMakesAllInputsLevelTriggered() {
        b.outb(MASTER, 0x19);
        b.outb(MASTER + 1, 0x20);
        b.outb(MASTER + 1, 0x04);
        b.outb(MASTER + 1, 0x01);
        pic.setLine(4, true);
        pic.acknowledge(0);
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertTrue(pic.pending(0));
    }

    @Test
    void elcrKeepsTheBitsThatMayBeLevelTriggered() {
        b.outb(ELCR1, 0xff);
        b.outb(ELCR1 + 1, 0xff);
        assertEquals(0xf8, b.inb(ELCR1));
        assertEquals(0xde, b.inb(ELCR1 + 1));
    }

    @Test
    void icw1ClearsMaskServiceAndEdges() {
        initialize();
        b.outb(MASTER + 1, 0x55);
        pic.setLine(4, true);
        pic.setLine(1, true);
        pic.acknowledge(0);
        initialize();
        assertEquals(0, b.inb(MASTER + 1));
        assertEquals(0, isr(MASTER));
        assertEquals(0, irr(MASTER));
        assertFalse(pic.pending(0), "an input must fall and rise again");
    }

    @Test
    void withoutIc4TheSequenceIsOneWordShorter() {
        b.outb(MASTER, 0x10);
        b.outb(MASTER + 1, 0x40);
        b.outb(MASTER + 1, 0x04);
        b.outb(MASTER + 1, 0x80);
        assertEquals(0x80, b.inb(MASTER + 1), "this is already the mask");
    }

    @Test
    void singleModeSkipsIcw3AndTheCascade() {
        b.outb(MASTER, 0x13);
        b.outb(MASTER + 1, 0x40);
        b.outb(MASTER + 1, 0x01);
        b.outb(MASTER + 1, 0xfe);
        assertEquals(0xfe, b.inb(MASTER + 1));
        pic.setLine(0, true);
        assertEquals(0x40, pic.acknowledge(0));
    }

    @Test
    void pollAcknowledgesAndNamesTheInput() {
        initialize();
        pic.setLine(6, true);
        b.outb(MASTER, 0x0c);
        assertEquals(0x86, b.inb(MASTER));
        assertEquals(0x40, isr(MASTER));
        b.outb(MASTER, 0x0c);
        assertEquals(0, b.inb(MASTER + 1), "nothing waits; either port answers a poll");
        assertEquals(0, b.inb(MASTER + 1), "and the mask is back");
    }

    @Test
    void statusReadKeepsItsSelection() {
        initialize();
        pic.setLine(6, true);
        pic.acknowledge(0);
        b.outb(MASTER, 0x0b);
        assertEquals(0x40, b.inb(MASTER));
        b.outb(MASTER, 0x68);
        assertEquals(0x40, b.inb(MASTER), "OCW3 without RR leaves the choice");
    }

    @Test
    void linuxProbeFindsTheMaskRegister() {
        b.outb(SLAVE + 1, 0xff);
        b.outb(MASTER + 1, 0xfb);
        assertEquals(0xfb, b.inb(MASTER + 1));
    }

    @Test
    void gsi2AndGsisBeyondTheChipsAreNotConnected() {
        initialize();
        pic.setLine(2, true);
        pic.setLine(16, true);
        pic.setLine(23, true);
        assertFalse(pic.pending(0));
    }

    @Test
    void requestInServiceSurvivesASwap() throws Exception {
        initialize();
        pic.setLine(14, true);
        pic.acknowledge(0);
        pic.setLine(4, true);
        pic.setLine(1, true);
        b.swap(new PicFactory());
        InterruptController next = b.facet(InterruptController.class);
        assertTrue(next.pending(0));
        assertEquals(0x21, next.acknowledge(0));
        b.outb(MASTER, NON_SPECIFIC_EOI);
        b.outb(SLAVE, NON_SPECIFIC_EOI);
        b.outb(MASTER, NON_SPECIFIC_EOI);
        assertEquals(0x24, next.acknowledge(0));
        b.outb(MASTER, NON_SPECIFIC_EOI);
        next.setLine(14, true);
        assertFalse(next.pending(0), "the level was known: no edge");
    }
}
