' Prints for some seconds (60 by default) what happens to the virtual
' machines.
Option Explicit

Dim objVS, intSeconds

intSeconds = 60
If WScript.Arguments.Count > 0 Then
    intSeconds = CLng(WScript.Arguments(0))
End If

Set objVS = CreateObject("VirtualServer.Application")
WScript.ConnectObject objVS, "VS_"
WScript.Echo "Waiting for events, for " & intSeconds & " seconds"
WScript.Sleep intSeconds * 1000
WScript.Echo "No longer waiting"

Sub VS_OnVMStateChange(strName, intState)
    Select Case intState
        Case 1 ' vmVMState_TurnedOff
            WScript.Echo strName & " is off"
        Case 5 ' vmVMState_Running
            WScript.Echo strName & " is running"
        Case 6 ' vmVMState_Paused
            WScript.Echo strName & " is paused"
        Case Else
            WScript.Echo strName & " has changed, its state is " & intState
    End Select
End Sub
