package org.backplane.devi8042;

/** What is at the other end of one of the controller's two serial lines. */
interface Ps2Device {
    /** A byte from the controller: a command or its parameter. The answer waits in the device, before anything else that it has to send. */
    void receive(int b);

    boolean hasByte();

    /** Takes the next byte to send, 0 to 255; there is one. */
    int nextByte();
}
